"""What a route may ask for."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy.orm import Session

from api import access, cookies, limiting, peers
from predella import db, storage
from predella.errors import AuthenticationError
from predella.services import accounts, sessions
from predella.services.accounts import Principal
from predella.storage import Store

_bearer = HTTPBearer(
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


def identified(
    request: Request,
    response: Response,
    session: DbSession,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
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
        limiting.limit_account(principal.account.name, response)
    elif secret := cookies.secret_of(request):
        principal = sessions.authenticate(session, secret)
        peers.require_same(request, principal)
        cookies.require_own(request, principal, csrf)
    else:
        raise AuthenticationError("send a token: Authorization: Bearer predella_...")
    request.state.account = principal.account.name
    return principal


Somebody = Annotated[Principal, Depends(identified)]


def _permitted(
    request: Request, scopes: SecurityScopes, session: DbSession, principal: Somebody
) -> Principal:
    return access.permit(request, session, principal, scopes)


def _reaching(scopes: SecurityScopes, principal: Somebody) -> Principal:
    return access.anywhere(principal, scopes)


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
