"""How the tests read XML back: as carefully as a stranger's."""

from collections.abc import Callable

from lxml import etree

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)

Faults = Callable[[bytes], list[str]]
"""What a validator objects to in a document."""
