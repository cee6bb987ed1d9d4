"""Pages: a template, with what every page needs and under a strict policy of content."""

import secrets
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.desk import languages, sentences, static_files
from predella.services import preferences
from predella.services.accounts import Principal

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _templates(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals |= {"static": static_files.address, "language": language}
    made.filters |= languages.filters(language)
    made.filters["said_of"] = partial(sentences.of, language)
    made.install_gettext_translations(  # type: ignore[attr-defined]
        languages.words(language), newstyle=True
    )
    return made


def page(
    request: Request,
    template: str,
    *,
    principal: Principal | None,
    status: HTTPStatus = HTTPStatus.OK,
    **context: object,
) -> HTMLResponse:
    """Return a page, or the part of one that a script asked for.

    Every template may use ``principal`` (None before sign-in), ``path``, ``nonce`` (for the
    few inline styles), ``language``, ``static("name")``, the filters of `languages`,
    and ``finding | said_of(text)``: what a finding says of a wording.
    """
    nonce = secrets.token_urlsafe(16)
    content = (
        _templates(_language(request, principal))
        .get_template(template)
        .render(principal=principal, path=request.url.path, nonce=nonce, **context)
    )
    return HTMLResponse(
        content, status_code=status, headers={"Content-Security-Policy": _policy(nonce)}
    )


def _language(request: Request, principal: Principal | None) -> str:
    own = preferences.of(principal.account).language if principal else None
    return languages.chosen(own, request.headers.get("Accept-Language", ""))


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
