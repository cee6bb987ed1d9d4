"""What each collection asks, as the model that this process holds is asked it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from predella import db
from predella.ids import ReleaseId
from predella.services import prompts, releases
from worker.engine import asking
from worker.engine.errors import PromptError
from worker.engine.prompts import Prompt, Section, sectioned
from worker.engine.protocol import Engine


@dataclass(frozen=True)
class Question:
    """A prompt, and the release that answers it."""

    prompt: Prompt
    release_id: ReleaseId


class Questions:
    """Each prompt is read once, and its release registered when it first comes up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, Question | PromptError] = {}

    def of(self, prompt_id: str) -> Question:
        """Return what is asked under this id.

        Raises:
            PromptError: this model cannot be asked it.
        """
        known = self._known.get(prompt_id) or self._learn(prompt_id)
        if isinstance(known, PromptError):
            raise known
        return known

    def _learn(self, prompt_id: str) -> Question | PromptError:
        with db.transaction() as session:
            prompt = _prompt(session, prompt_id)
            try:
                spec = asking.release_for(self._engine, prompt)
            except PromptError as error:
                learnt: Question | PromptError = error
            else:
                learnt = Question(prompt, releases.register(session, spec))
        self._known[prompt_id] = learnt
        return learnt


def _prompt(session: Session, prompt_id: str) -> Prompt:
    row = prompts.get(session, prompt_id)
    parts = prompts.questions(session, row)
    if row.sections is None:
        return Prompt(row.id, row.text or "")
    return sectioned(
        row.id,
        tuple(Section(heading or "", Prompt(one.id, one.text or "")) for heading, one in parts),
    )
