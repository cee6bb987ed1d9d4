"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import errors, openapi
from api.dependencies import identified
from api.desk import pages
from api.middleware import BodyLimit, Requests
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
)
from predella import logs
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
    runs,
    audits,
)

_DESCRIPTION = (
    "Collections of images go in; formal analyses, reviewed by curators, come out. "
    "Texts are shown with their release's `notice`, which has to stay with them."
)


def create_app() -> FastAPI:
    """Build the application; importing this module has no side effects."""
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
    app.include_router(_closed())
    errors.install(app)
    app.add_middleware(BodyLimit, max_bytes=_MAX_BODY_BYTES)
    app.add_middleware(Requests)
    return app


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        self.openapi_schema = self.openapi_schema or openapi.describe(self)
        return self.openapi_schema


def _closed() -> APIRouter:
    """Return everything that needs a token: all that is not health."""
    closed = APIRouter(dependencies=[Depends(identified)])
    v1 = APIRouter(prefix="/v1")
    for noun in _NOUNS:
        v1.include_router(noun.router)
    closed.include_router(v1)
    closed.include_router(pages.router())
    closed.include_router(metrics.router)
    return closed


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    logs.configure(get_settings())
    yield


def _operation_id(route: APIRoute) -> str:
    return route.name
