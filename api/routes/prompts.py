from http import HTTPStatus

from api.dependencies import AnyReader, DbSession, Keeper
from api.idempotency import Router
from api.schemas.prompts import PromptIn, PromptOut
from predella.models import Prompt
from predella.services import prompts

router = Router(prefix="/prompts", tags=["prompts"])


@router.get("", response_model=list[PromptOut])
def list_prompts(session: DbSession, _reader: AnyReader) -> list[Prompt]:
    """List every version of every prompt, by name, the newest version first."""
    return list(prompts.listed(session))


@router.post("", status_code=HTTPStatus.CREATED, response_model=PromptOut)
def add_prompt(session: DbSession, _keeper: Keeper, body: PromptIn) -> Prompt:
    """Add a prompt, or a new version of one; the same words again change nothing."""
    sections = [(section.heading, section.prompt) for section in body.sections]
    return prompts.add(session, body.name, kind=body.kind, text=body.text, sections=sections)
