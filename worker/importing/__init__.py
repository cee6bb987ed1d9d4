"""From the published parts of GalleryGPT to one checkpoint that the engine can serve.

Nothing here resolves a name over a network, runs code of a file, or guesses: what is not
understood is an error that names the file.
"""

from worker.importing.errors import ReleaseFileError
from worker.importing.importer import Imported, Plan, check, write

__all__ = ["Imported", "Plan", "ReleaseFileError", "check", "write"]
