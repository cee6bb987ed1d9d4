"""Who may open which address: by default, wherever the things lie that the address names.

A scope that a route asks for is required in the collections of the things in its path. Where
the path names none it is required in the whole house, unless the route says that it keeps to
what somebody may reach (`anywhere`). A path that names a thing of an unknown kind does not
open at all: the application is not built.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi.security import SecurityScopes
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from predella.services import places
from predella.services.accounts import Principal

_OF_THE_HOUSE = frozenset({"account_id", "token_id", "webhook_id", "delivery_id"})
"""What lies in no collection."""
_PARTS = frozenset({"version", "level", "column", "row", "object_number"})
"""What only says which part of the thing that the path names before."""

_UUID = TypeAdapter(UUID)


def permit(
    request: Request, session: Session, principal: Principal, scopes: SecurityScopes
) -> None:
    """Go on only if who asks may do what the route does where its things lie.

    Raises:
        NotFoundError: there is no such thing, as far as they may know.
        PermissionDeniedError: they may not do this there.
        RequestValidationError: what should be an id is none.
    """
    things = _things(request.path_params)
    for scope in scopes.scopes:
        if things:
            places.require(session, principal, scope, **things)
        else:
            principal.require(scope)


def anywhere(principal: Principal, scopes: SecurityScopes) -> None:
    """Go on only if who asks may do this in any collection; the route keeps to their reach.

    Raises:
        PermissionDeniedError: they may do it nowhere.
    """
    for scope in scopes.scopes:
        principal.require_somewhere(scope)


def require_known(router: APIRouter) -> None:
    """Go on only if we know of everything that a path names where it lies.

    Raises:
        LookupError: somebody added a route without saying so in `places`, or here.
    """
    known = places.BY_ID | {places.SLUG} | _OF_THE_HOUSE | _PARTS
    for route in iter_route_contexts(router.routes):
        if unknown := set(re.findall(r"\{(\w+)", str(route.path))) - known:
            raise LookupError(f"{route.path}: in which collection does {unknown} lie?")


def _things(path: Mapping[str, Any]) -> dict[str, UUID | str]:
    """Return what a path names, by the same reading of ids as that of the routes."""
    found = {name: path[name] for name in path.keys() & {places.SLUG}}
    return found | {name: _id(name, path[name]) for name in path.keys() & places.BY_ID}


def _id(name: str, written: object) -> UUID:
    try:
        return _UUID.validate_python(written)
    except ValidationError as error:
        wrong = [one | {"loc": ("path", name)} for one in error.errors()]
        raise RequestValidationError(wrong) from error
