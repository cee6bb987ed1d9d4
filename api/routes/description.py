from typing import Any

from fastapi import APIRouter, Request

router = APIRouter(tags=["description"])


@router.get("/openapi.json")
def describe(request: Request) -> dict[str, Any]:
    """Show this description."""
    description: dict[str, Any] = request.app.openapi()
    return description
