"""What each collection asks, as the model that this process holds is asked it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from predella import db
from predella.ids import ReleaseId
from predella.services import prompts, releases
from predella.services.ledger import Claimed
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
        self._known: dict[tuple[str, bool], Question | PromptError] = {}

    def of(self, item: Claimed) -> Question:
        """Return what is asked about an item; further samples are of a release of their own.

        Raises:
            PromptError: this model cannot be asked it.
        """
        asked = item.prompt_id, item.sample > 0
        known = self._known.get(asked) or self._learn(*asked)
        if isinstance(known, PromptError):
            raise known
        return known

    def _learn(self, prompt_id: str, is_further: bool) -> Question | PromptError:  # noqa: FBT001  (half of a key)
        with db.transaction() as session:
            prompt = _prompt(session, prompt_id)
            try:
                spec = asking.release_for(self._engine, prompt, sample=int(is_further))
            except PromptError as error:
                learnt: Question | PromptError = error
            else:
                learnt = Question(prompt, releases.register(session, spec))
        self._known[prompt_id, is_further] = learnt
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
