"""The desk: every page that people look at. Not part of the API's description."""

from types import ModuleType

from fastapi import APIRouter

from api.desk import (
    accounts,
    collections,
    deciding,
    door,
    exports,
    gates,
    glossaries,
    lots,
    me,
    objects,
    pictures,
    queue,
    review,
    selections,
    single_sign_on,
    static_files,
    submissions,
    tiles,
    webhooks,
)

NOUNS: tuple[ModuleType, ...] = (
    queue,
    review,
    deciding,
    selections,
    pictures,
    tiles,
    lots,
    submissions,
    objects,
    gates,
    exports,
    collections,
    glossaries,
    accounts,
    webhooks,
    me,
)
"""The modules of pages for which one has to be signed in; each has a ``router``."""

OPEN: tuple[ModuleType, ...] = (static_files, door, single_sign_on)
"""Those for which one has not."""


def router() -> APIRouter:
    """Return the pages for people who are signed in."""
    made = APIRouter(include_in_schema=False)
    for noun in NOUNS:
        made.include_router(noun.router)
    return made


def open_router() -> APIRouter:
    """Return what anybody may fetch: scripts, styles, fonts, the sign-in page."""
    made = APIRouter(include_in_schema=False)
    for noun in OPEN:
        made.include_router(noun.router)
    return made
