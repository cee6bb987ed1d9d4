import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from lxml.isoschematron import Schematron  # type: ignore[import-not-found]

from tests.predella.formats.parsing import PARSER, Faults


@cache
def _lido_validators(schema: Path) -> tuple[etree.XMLSchema, Schematron]:
    tree = etree.parse(str(schema), PARSER)
    return etree.XMLSchema(tree), Schematron(tree, store_report=True)


@pytest.fixture
def lido_faults() -> Faults:
    """What the official XSD, and the Schematron inside it, object to in a LIDO file."""
    root = os.environ.get("PREDELLA_SCHEMAS")  # noqa: TID251  (where tests find the schemas)
    if not root:
        pytest.skip("PREDELLA_SCHEMAS does not name a folder with the official schemas")
    xsd, schematron = _lido_validators(Path(root) / "lido/lido-v1.1.xsd")

    def faults(document: bytes) -> list[str]:
        tree = etree.ElementTree(etree.fromstring(document, PARSER))
        xsd.validate(tree)
        schematron.validate(tree)
        failed = schematron.validation_report.iter("{*}failed-assert", "{*}successful-report")
        return str(xsd.error_log).splitlines() + [
            "".join(hit.itertext()) for hit in failed if hit.get("role") != "warn"
        ]

    return faults
