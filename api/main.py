"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import access, errors, oai, openapi
from api.dependencies import bearer, identified
from api.desk import pages
from api.middleware import BodyLimit, Requests
from api.peers import Peers
from api.routes import (
    accounts,
    analyses,
    audits,
    claims,
    collections,
    controls,
    description,
    exports,
    facets,
    findings,
    gates,
    health,
    lots,
    metrics,
    operations,
    prompts,
    regenerations,
    releases,
    remarks,
    reviews,
    runs,
    selections,
    submissions,
    webhooks,
)
from predella import logs
from predella.errors import InvalidError
from predella.services import identities
from predella.settings import get_settings

_MAX_BODY_BYTES = 5_000_000
"""500 decisions with the longest notes."""

_NOUNS = (
    description,
    accounts,
    releases,
    prompts,
    collections,
    gates,
    submissions,
    operations,
    analyses,
    facets,
    claims,
    reviews,
    remarks,
    selections,
    regenerations,
    findings,
    lots,
    controls,
    exports,
    webhooks,
    runs,
    audits,
)

_DESCRIPTION = (
    "Collections of images go in; formal analyses, reviewed by curators, come out. "
    "Texts are shown with their release's `notice`, which has to stay with them."
)


def create_app(*, sees_peers: bool = False) -> FastAPI:
    """Build the application; importing this module has no side effects.

    With ``sees_peers`` the server tells who really connects, and leaves what proxies say
    to us; without, nobody is signed in by what a proxy says.
    """
    app = _App(
        title="predella",
        summary="Formal analyses of paintings for whole museum collections",
        description=_DESCRIPTION,
        version=version("predella"),
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
        # The description needs a token like everything else; the pages load foreign scripts.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(health.router)
    app.include_router(pages.open_router())
    app.include_router(oai.router)
    app.include_router(_closed())
    errors.install(app)
    app.add_middleware(BodyLimit, max_bytes=_MAX_BODY_BYTES)
    app.add_middleware(Requests)
    if sees_peers:
        app.add_middleware(Peers, settings=get_settings())
    app.state.sees_peers = sees_peers
    return app


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        self.openapi_schema = self.openapi_schema or openapi.describe(self)
        return self.openapi_schema


def _closed() -> APIRouter:
    """Return everything that needs a token: all that is not health."""
    closed = APIRouter(dependencies=[Depends(identified), Depends(bearer)])
    v1 = APIRouter(prefix="/v1")
    for noun in _NOUNS:
        v1.include_router(noun.router)
    closed.include_router(v1)
    closed.include_router(pages.router())
    closed.include_router(metrics.router)
    access.require_known(closed)
    return closed


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    logs.configure(settings)
    if settings.proxy_header is not None and not app.state.sees_peers:
        raise InvalidError("PREDELLA_PROXY_HEADER needs `python -m api` to serve the API")
    if settings.oidc_roles is not None:
        identities.roles_of(settings.oidc_roles)
    yield


def _operation_id(route: APIRoute) -> str:
    return route.name
