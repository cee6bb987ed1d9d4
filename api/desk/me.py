"""One's own account: its roles in words, its keys, how its pages are."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.dependencies import DbSession, Somebody
from api.desk import languages
from api.desk.rendering import page
from predella.services import accounts, memberships, preferences

router = APIRouter(prefix="/desk/me")


@router.get("")
def me(request: Request, session: DbSession, somebody: Somebody, *, kept: bool = False) -> Response:
    """Show one's own account."""
    return page(
        request,
        "me.html",
        principal=somebody,
        preferences=preferences.of(somebody.account),
        languages=languages.NAMES,
        memberships=memberships.of(session, somebody.account),
        tokens=accounts.tokens(session, somebody.account),
        kept=kept,
    )


@router.post("/preferences")
def choose(
    session: DbSession,
    somebody: Somebody,
    *,
    single_keys: Annotated[bool, Form()] = False,
    language: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Keep how somebody wants their pages."""
    chosen = {"single_keys": single_keys, "language": language or None}
    preferences.choose(session, somebody.account, chosen)
    return RedirectResponse("/desk/me?kept=1", HTTPStatus.SEE_OTHER)
