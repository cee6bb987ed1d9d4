"""The model, behind one small interface; torch is loaded only by the engine that needs it."""

from pathlib import Path

from predella.settings import Settings
from worker.engine import profiles
from worker.engine.errors import CheckpointError
from worker.engine.protocol import Engine, EngineFailure, Generation
from worker.images.prepared import preprocessing

__all__ = ["CheckpointError", "Engine", "EngineFailure", "Generation", "load"]


def load(settings: Settings) -> Engine:
    """Return the engine that the settings name, its model in memory.

    Raises:
        CheckpointError: the model directory or the adapter cannot be served.
    """
    if settings.engine == "trivial":
        from worker.engine.trivial import TrivialEngine

        return TrivialEngine(
            batch_size=settings.batch_size,
            preprocessing=preprocessing(exact=settings.exact_prepare),
        )
    return _of_checkpoint(settings)


def _of_checkpoint(settings: Settings) -> Engine:
    """Return the engine for the family of the checkpoint."""
    if settings.model_dir is None:
        raise CheckpointError(None, "set PREDELLA_MODEL_DIR")
    if profiles.model_type(settings.model_dir) == profiles.LLAVA:
        return _llava(settings, settings.model_dir)
    from worker.engine.chat import ChatEngine

    return ChatEngine(
        settings.model_dir,
        device=settings.device,
        dtype=settings.dtype,
        batch_size=settings.batch_size,
        max_new_tokens=settings.max_new_tokens,
        adapter=settings.adapter_dir,
        preprocessing=preprocessing(exact=settings.exact_prepare),
    )


def _llava(settings: Settings, directory: Path) -> Engine:
    from worker.engine.llava import Llava
    from worker.engine.reference import ReferenceEngine
    from worker.engine.slotted import SlottedEngine

    llava = Llava(
        directory,
        device=settings.device,
        dtype=settings.dtype,
        max_new_tokens=settings.max_new_tokens,
        adapter=settings.adapter_dir,
        preprocessing=preprocessing(exact=settings.exact_prepare),
    )
    if settings.engine == "reference":
        return ReferenceEngine(llava, batch_size=settings.batch_size)
    return SlottedEngine(llava, slots=settings.slots, kv_cache=settings.kv_cache)
