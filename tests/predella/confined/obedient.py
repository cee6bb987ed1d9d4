"""A confined process that does what it is told, however bad for it."""

import os
import socket
import time
from typing import Any

from predella.confined import confinement
from predella.confined.serving import Answer, serve


def answered(asked: dict[str, Any], parts: list[bytes], files: list[int]) -> Answer:
    match asked["what"]:
        case "pid":
            return {"pid": os.getpid()}, []
        case "repeat":
            return {"held": [os.read(file, 100).decode() for file in files]}, parts
        case "die":
            os.abort()
        case "sleep":
            time.sleep(60)
        case "hoard":
            confinement.grant(memory=1 << 28, cpu_seconds=5)
            return {"size": len(bytes(1 << 30))}, []
        case "spin":
            confinement.grant(memory=1 << 30, cpu_seconds=-1)
            while True:
                pass
        case "connect":
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        case _:
            pass
    raise ValueError(asked["what"])


if __name__ == "__main__":
    serve(answered)
