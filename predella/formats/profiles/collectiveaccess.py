"""The mapping sheet with which CollectiveAccess (Providence) reads the rows of a profile.

Source: CollectiveAccess, "Import mappings": settings first, then one line for each column, which
is named by its number.
"""

from predella.formats import csv_file
from predella.formats.profiles.profile import Profile

_HEADER = ("Rule type", "Source", "CA table.element", "Options", "Refinery", "Refinery parameters")
_SETTINGS = {
    "name": "predella",
    "code": "predella",
    "table": "ca_objects",
    "inputFormats": "CSV",
    "numInitialRowsToSkip": "1",
    "existingRecordPolicy": "merge_on_idno",
}


def mapping_sheet(profile: Profile) -> bytes:
    """Return the sheet as CSV; the headers of the profile are elements of CollectiveAccess."""
    settings = [("Setting", name, value) for name, value in _SETTINGS.items()]
    mappings = [
        ("Mapping", str(number), column.header)
        for number, column in enumerate(profile.columns, start=1)
    ]
    lines = [_HEADER, *((*line, "", "", "") for line in [*settings, *mappings])]
    return b"".join(csv_file.row(line, for_spreadsheet=False) for line in lines)
