"""What a route may ask for."""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy.orm import Session

from api import access, cookies, idempotency, limiting, peers
from api.idempotency import Keyed
from predella import db, storage
from predella.errors import AuthenticationError
from predella.services import accounts, sessions
from predella.services.accounts import Principal
from predella.storage import Store

bearer = HTTPBearer(
    scheme_name="token",
    description="A token of an account: `Authorization: Bearer predella_...`.",
    auto_error=False,
)


def database_session() -> Iterator[Session]:
    """Open the one transaction of a request; it is committed before the answer leaves."""
    with db.transaction() as session:
        yield session


# Without the scope the commit comes after the answer, and one that fails answers 201.
DbSession = Annotated[Session, Depends(database_session, scope="function")]
ObjectStore = Annotated[Store, Depends(storage.store)]


async def _shown(request: Request) -> HTTPAuthorizationCredentials | None:
    # Not as `Depends(bearer)`: FastAPI would run whatever rests on that once more for the scopes
    # of a route, and every request would be looked up and counted twice.
    return await bearer(request)


def identified(
    request: Request,
    session: DbSession,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_shown)],
    csrf: Annotated[str | None, Depends(cookies.csrf_of)],
) -> Principal:
    """Return who is asking: by a token, or signed in with a browser.

    Raises:
        AuthenticationError: neither, or not a valid one.
        ForgedError: a browser sends what no page of ours has made.
        TooManyError: the token's account asks too often.
    """
    if credentials is not None:
        principal = accounts.authenticate(session, credentials.credentials)
        limiting.limit_account(principal.account.name, request)
    elif secret := cookies.secret_of(request):
        principal = sessions.authenticate(session, secret)
        peers.require_same(request, principal)
        cookies.require_own(request, principal, csrf)
    else:
        raise AuthenticationError("send a token: Authorization: Bearer predella_...")
    request.state.account = principal.account.name
    return principal


Somebody = Annotated[Principal, Depends(identified)]


def _unrepeated(
    request: Request,
    session: DbSession,
    principal: Somebody,
    sent: Annotated[Keyed | None, Depends(idempotency.keyed)],
    _described: Annotated[object, Depends(bearer)],
) -> Callable[[], Principal]:
    """Return what is to be asked once it is clear that they may.

    It returns who is asking, unless this was done under the same key before.
    """

    def begin() -> Principal:
        if sent is not None:
            idempotency.begin(request, session, principal, sent)
        return principal

    return begin


Begun = Annotated[Callable[[], Principal], Depends(_unrepeated)]


def _permitted(
    request: Request, scopes: SecurityScopes, session: DbSession, principal: Somebody, begin: Begun
) -> Principal:
    access.permit(request, session, principal, scopes)
    return begin()


def _reaching(scopes: SecurityScopes, principal: Somebody, begin: Begun) -> Principal:
    access.anywhere(principal, scopes)
    return begin()


# These may do it where the things lie that the path names; else in the whole house.
Reader = Annotated[Principal, Security(_permitted, scopes=["collections:read"])]
Keeper = Annotated[Principal, Security(_permitted, scopes=["collections:write"])]
Submitter = Annotated[Principal, Security(_permitted, scopes=["submissions:write"])]
Reviewer = Annotated[Principal, Security(_permitted, scopes=["reviews:write"])]
Approver = Annotated[Principal, Security(_permitted, scopes=["approvals:write"])]
Administrator = Annotated[Principal, Security(_permitted, scopes=["accounts:write"])]
Monitor = Annotated[Principal, Security(_permitted, scopes=["metrics:read"])]

# These may do it somewhere. Their route has to keep to their reach, or to ask `places` about
# what the body names.
AnyReader = Annotated[Principal, Security(_reaching, scopes=["collections:read"])]
AnyKeeper = Annotated[Principal, Security(_reaching, scopes=["collections:write"])]
AnySubmitter = Annotated[Principal, Security(_reaching, scopes=["submissions:write"])]
AnyReviewer = Annotated[Principal, Security(_reaching, scopes=["reviews:write"])]
AnyApprover = Annotated[Principal, Security(_reaching, scopes=["approvals:write"])]
AnyRegistrar = Annotated[Principal, Security(_reaching, scopes=["exports:write"])]
