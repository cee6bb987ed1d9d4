"""``python -m worker.samples DIRECTORY``: paint pictures to try predella with."""

import argparse
from pathlib import Path

from worker.samples import write_samples


def main() -> None:
    """Paint into the directory that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m worker.samples", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=24)
    arguments = parser.parse_args()
    manifest = write_samples(arguments.directory, count=arguments.count)
    print(manifest)  # noqa: T201  (its answer)


if __name__ == "__main__":
    main()
