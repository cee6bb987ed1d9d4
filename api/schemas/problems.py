from pydantic import BaseModel, ConfigDict, Field


class WrongPart(BaseModel):
    """One part of a request that is missing or wrong."""

    where: str = Field(alias="in", description="body, path, query or header.")
    pointer: str = Field(description="Where in it: a JSON Pointer (RFC 6901).")
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/permission-denied",
                    "title": "We know who is asking, and they may not",
                    "status": 403,
                    "detail": (
                        "this needs the scope 'approvals:write', which the role approver gives"
                    ),
                    "request_id": "01931f6e-7c9a-7b3e-8c5e-0d5b3c1f2a44",
                    "scope": "approvals:write",
                    "roles": ["approver"],
                }
            ]
        },
    )

    type: str = Field(description="A stable name of the kind of problem; docs/api.md lists them.")
    title: str = Field(description="The kind, in words.")
    status: int
    detail: str = Field(description="This case, and what to do about it.")
    request_id: str | None = Field(description="Quote it when you report a problem.")
    errors: list[WrongPart] | None = None
