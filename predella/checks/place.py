"""Does the text say where the scene is? A picture shows a canal, not its name."""

import re
from collections.abc import Iterator

from predella.checks.context import Context
from predella.checks.finding import Remark, Severity
from predella.checks.saying import Sayings
from predella.checks.wording import Wording

_TOWNS = """
    Alkmaar Amsterdam Antwerp Arles Athens Auvers Avignon Bamberg Barcelona Basel Bergen Berlin
    Bern Bologna Bordeaux Boston Bruges Brussels Budapest Cairo Chicago Cologne Constantinople
    Copenhagen Delft Dordrecht Dresden Dublin Edinburgh Étretat Florence Genoa Ghent Giverny
    Gouda Granada Haarlem Hamburg Istanbul Jerusalem Kraków Kyoto Leiden Leipzig Liège Lisbon
    London Lucca Lyon Madrid Mantua Marseille Middelburg Milan Moscow Munich Naples Nuremberg
    Oslo Oxford Padua Paris Parma Pisa Prague Ravenna Rome Rotterdam Rouen Salzburg Seville Siena
    Stockholm Strasbourg Tahiti Tokyo Toledo Turin Utrecht Venice Verona Versailles Vienna Warsaw
    Zurich
"""
_LANDS = """
    Andalusia Arcadia Austria Bavaria Belgium Bohemia Brabant Britain Brittany Burgundy Castile
    China Cornwall Denmark Egypt England Flanders France Friesland Germany Greece Holland Hungary
    India Ireland Italy Japan Lombardy Mexico Morocco Netherlands Normandy Norway Palestine Persia
    Poland Portugal Provence Russia Saxony Scotland Sicily Spain Sweden Switzerland Syria Tuscany
    Umbria Wales Zeeland
"""
_SIGHTS = (
    "Louvre|Rijksmuseum|Uffizi|Prado|Hermitage|National Gallery|Grand Canal|Rialto|Colosseum|"
    "Pantheon|Notre[- ]Dame|Eiffel Tower|Big Ben|Acropolis|Mount Fuji|Vesuvius|Seine|Thames|"
    "Rhine|Danube|Tiber|Arno|Alps|Pyrenees|Zuiderzee|Mediterranean"
)
_NAMES = "|".join([*_TOWNS.split(), *_LANDS.split()])
_IN = r"in|at|near|from|outside|above|around|across|through|over|overlooking|streets of|view of"
_PLACE = re.compile(
    rf"\b(?:{_IN}|city of|town of|canals of)\s+(?:the\s+|old\s+|ancient\s+)*(?P<name>{_NAMES})\b"
    r"(?!\s+(?:yellow|red|blue|green|black|white|brown|school|style|manner))"
    rf"|\b[Tt]he\s+(?P<sight>{_SIGHTS})\b"
)

SAYS: Sayings = {
    "place": ("“{quote}” is a place; only the catalog can know that it is this one.",),
}


def find(wording: Wording, context: Context) -> Iterator[Remark]:
    """Tell towns, lands and sights that an English text puts the scene in."""
    if not context.is_english:
        return
    for match in _PLACE.finditer(wording.plain):
        how = str(match.lastgroup)
        yield Remark(Severity.SOFT, match.span(how), {"kind": "place"})
