"""The official schemas, where there is a folder with them: the setting PREDELLA_SCHEMAS.

The folder has ``lido/lido-v1.1.xsd`` (with its Schematron inside), ``oai/*.xsd``,
``edm/EDM.xsd``, ``iiif/iiif_3_0.json``, ``linked-art/*.json`` and the templates of
CollectionSpace as ``collectionspace/*-template.csv``. They are not ours to give away.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree
from lxml.isoschematron import Schematron  # type: ignore[import-not-found]

from predella.errors import NotFoundError
from predella.formats.xml import NAMESPACES as NS
from predella.formats.xml import Element

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_XSD = {
    f"{{{NS['oai']}}}OAI-PMH": "oai/OAI-PMH.xsd",
    f"{{{NS['lido']}}}lido": "lido/lido-v1.1.xsd",
    f"{{{NS['oai_dc']}}}dc": "oai/oai_dc.xsd",
    f"{{{NS['rdf']}}}RDF": "edm/EDM.xsd",
}
_LINKED_ART = {"HumanMadeObject": "object", "LinguisticObject": "text"}
_MAX = 20
"""Objections to one record; the first ones explain the others."""


class Schemas:
    """A folder of schemas; each is read when it is first needed.

    Raises:
        NotFoundError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotFoundError("folder with schemas", str(folder))
        self._folder = folder
        self._xsd: dict[str, etree.XMLSchema] = {}
        self._json: dict[str, Any] = {}

    def record(self, record: Element) -> Iterator[str]:
        """Yield what they say of a LIDO record, or of what is in a record of OAI-PMH."""
        here = [record] if record.tag in _XSD else record.iterfind("oai:metadata/*", NS)
        for payload in here:
            if payload.tag in _XSD:
                yield from self._tree(etree.fromstring(etree.tostring(payload)))

    def reply(self, file: BinaryIO) -> Iterator[str]:
        """Yield what they say of a whole reply of OAI-PMH; of its records see `record`."""
        yield from self._tree(etree.parse(file, _parser()).getroot())

    def document(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Yield what they say of a manifest, or of a record of Linked Art."""
        kind = document.get("type", "")
        schema = self._iiif if kind == "Manifest" else self._linked_art(_LINKED_ART[kind])
        for _, error in zip(range(_MAX), schema.iter_errors(document), strict=False):
            yield f"/{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"

    def header(self, header: list[str], record_type: str) -> Iterator[str]:
        """Yield which columns of a CollectionSpace file no template of the record type has."""
        templates = list(self._folder.glob(f"collectionspace/*_{record_type}-template.csv"))
        known = [_columns(template) for template in templates]
        if known and not any(set(header) <= columns for columns in known):
            fewest = min((set(header) - columns for columns in known), key=len)
            yield f"no template of CollectionSpace has the columns {', '.join(sorted(fewest))}"

    def _tree(self, tree: Element) -> Iterator[str]:
        schema = self._of(_XSD[str(tree.tag)])
        if not schema.validate(tree):
            yield from str(schema.error_log).splitlines()[:_MAX]
        if tree.tag == f"{{{NS['lido']}}}lido":
            self._schematron.validate(tree)
            for tag in ("failed-assert", "successful-report"):
                for hit in self._schematron.validation_report.iter(f"{_SVRL}{tag}"):
                    if hit.get("role") != "warn":
                        yield " ".join("".join(hit.itertext()).split())

    def _of(self, path: str) -> etree.XMLSchema:
        if path not in self._xsd:
            self._xsd[path] = etree.XMLSchema(etree.parse(str(self._folder / path), _parser()))
        return self._xsd[path]

    @cached_property
    def _schematron(self) -> Any:
        tree = etree.parse(str(self._folder / "lido/lido-v1.1.xsd"), _parser())
        return Schematron(tree, store_report=True)

    @cached_property
    def _iiif(self) -> Any:
        import jsonschema_rs

        schema = json.loads((self._folder / "iiif/iiif_3_0.json").read_bytes())
        # Of all its classes the one that is meant, so that an objection can be understood.
        del schema["oneOf"]
        schema["allOf"] = [{"$ref": "#/classes/manifest"}]
        return jsonschema_rs.Draft7Validator(schema, validate_formats=True)

    def _linked_art(self, name: str) -> Any:
        import jsonschema_rs

        if not self._json:
            files = (self._folder / "linked-art").glob("*.json")
            parts = {file.stem: json.loads(file.read_bytes()) for file in files}
            registry = jsonschema_rs.Registry([(part["$id"], part) for part in parts.values()])
            self._json = {
                name: jsonschema_rs.Draft202012Validator(
                    parts[name], registry=registry, validate_formats=True
                )
                for name in _LINKED_ART.values()
            }
        return self._json[name]


def _columns(template: Path) -> set[str]:
    with template.open(encoding="utf-8-sig", newline="") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file) if row}
    return set(rows["CSVHEADER"])


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
