"""Pages: a template, with what every page needs and under a strict policy of content."""

import secrets
from http import HTTPStatus
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.desk import static_files
from predella.services.accounts import Principal


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals["static"] = static_files.address
    return made


_templates = _environment()
_templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]


def page(
    request: Request,
    template: str,
    *,
    principal: Principal | None,
    status: HTTPStatus = HTTPStatus.OK,
    **context: object,
) -> HTMLResponse:
    """Return a whole page, or the part of one that htmx asked for.

    Every template may use ``principal`` (None before sign-in), ``path``, ``nonce`` (for the
    few inline styles) and ``static("name")``.
    """
    nonce = secrets.token_urlsafe(16)
    content = _templates.get_template(template).render(
        principal=principal, path=request.url.path, nonce=nonce, **context
    )
    return HTMLResponse(
        content, status_code=status, headers={"Content-Security-Policy": _policy(nonce)}
    )


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
