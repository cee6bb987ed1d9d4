from typing import Literal

from pydantic import BaseModel


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Which of the parts that we stand on answer."""

    database: Literal["ok", "silent"]
    store: Literal["ok", "silent"]
