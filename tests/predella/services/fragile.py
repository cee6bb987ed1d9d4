"""The process that looks at headers, but for two words in a file that it cannot bear."""

import os
from typing import Any

from predella.confined.serving import Answer, serve
from predella.formats.headers import child


def answered(asked: dict[str, Any], parts: list[bytes], files: list[int]) -> Answer:
    if b"poison" in parts[0]:
        os.abort()
    if b"riddle" in parts[0]:
        raise ValueError(asked)
    return child._answered(asked, parts, files)


if __name__ == "__main__":
    serve(answered)
