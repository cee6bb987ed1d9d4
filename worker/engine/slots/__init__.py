"""The batch engine: paintings enter and leave its slots one by one, and it never drains."""

from worker.engine.slots.config import SlotConfig
from worker.engine.slots.engine import SlotEngine
from worker.engine.slots.painting import Painting

__all__ = ["Painting", "SlotConfig", "SlotEngine"]
