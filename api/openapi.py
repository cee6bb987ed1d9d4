"""The description of the API that programs read: OpenAPI 3.1, with what every route may answer."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import idempotency
from api.problems import MEDIA_TYPE

_METHODS = {"get", "post", "put", "patch", "delete"}
_KEY = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": (
        "A name of your own for this request: sent again within 24 hours with the same body, it "
        "does nothing again and is answered as before, with `Idempotency-Replayed: true`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description; problems are written into it from what each route asks for."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, method, operation in _operations(document):
        if _is_repeatable(path, method, operation):
            operation.setdefault("parameters", []).append(_KEY)
        first, _, rest = operation["description"].partition("\n\n")
        operation |= {"summary": first.replace("\n", " ").rstrip("."), "description": rest}
        problems = {
            status: _problem(meaning) for status, meaning in _problems(path, method, operation)
        }
        operation["responses"] = dict(sorted((problems | _answers(operation)).items()))
        for answer in operation["responses"].values():
            _as_of_3_1(answer)
    return document


def _answers(operation: dict[str, Any]) -> dict[str, Any]:
    """Return what a route says of its answers: of a problem of its own, only what it means."""
    return {
        status: answer if "content" in answer or status < "400" else _problem(answer["description"])
        for status, answer in operation["responses"].items()
        if status != "422"
    }


def _as_of_3_1(answer: dict[str, Any]) -> None:
    """Leave out how the events of a stream look: ``itemSchema`` is a word of OpenAPI 3.2."""
    for media in answer.get("content", {}).values():
        media.pop("itemSchema", None)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in _METHODS & methods.keys():
            yield path, method, methods[method]


def _is_repeatable(path: str, method: str, operation: dict[str, Any]) -> bool:
    repeatable = operation["operationId"] not in idempotency.SHOWN_ONCE
    return method == "post" and path.startswith("/v1/") and repeatable


def _problems(path: str, method: str, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    scopes = [scope for needs in operation.get("security", ()) for scope in needs["token"]]
    if "security" in operation:
        yield "401", "No token, or not a valid one."
        yield "429", "Asked too often; see Retry-After."
        yield "503", "The database or the object store does not answer; try again."
    if scopes:
        yield "403", f"The token lacks the scope {' '.join(scopes)}."
    if "{" in path or "requestBody" in operation or any(name.endswith("_id") for name in names):
        yield "404", "There is no such thing."
    if method != "get":
        yield "409", "It is in the wrong state for this, or the same request is still being done."
    if "requestBody" in operation:
        yield "400", "The body is not text in UTF-8."
        yield "413", "The body is too large."
    if "if-match" in names:
        yield "412", "It changed since you saw it; `current` is how it is now."
        yield "428", "If-Match is missing."
    if names or "requestBody" in operation:
        yield "422", "Parts of the request are missing or wrong; `errors` says which."


def _problem(meaning: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": meaning, "content": {MEDIA_TYPE: {"schema": schema}}}
