from typing import Any

from fastapi import Request

from api.idempotency import Router

router = Router(tags=["description"])


@router.get("/openapi.json")
def describe(request: Request) -> dict[str, Any]:
    """Show this description."""
    description: dict[str, Any] = request.app.openapi()
    return description
