"""The OpenAPI document tells the truth about errors.

Litestar describes its own error bodies, which never leave this gateway. Here every operation's
errors become problem details (RFC 9457), from the same table that answers with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    Schema,
)

from gateway.edge.problems import INTERNAL, TABLE, TYPE_PREFIX

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_REFERENCE = Reference(ref="#/components/schemas/Problem")


def state_problems(document: OpenAPI) -> None:
    """Give every operation problem details as its errors, in place; doing it twice is harmless."""
    document.components.schemas["Problem"] = _problem()
    for operation in _operations(document):
        kept = {
            status: response
            for status, response in (operation.responses or {}).items()
            if not status.startswith(("4", "5"))
        }
        operation.responses = {**kept, "default": _response()}


def _operations(document: OpenAPI) -> Iterator[Operation]:
    for path in (document.paths or {}).values():
        for method in _METHODS:
            operation = getattr(path, method)
            if operation is not None:
                yield operation


def _response() -> OpenAPIResponse:
    return OpenAPIResponse(
        description="A problem; `type` and `status` are stable",
        content={"application/problem+json": OpenAPIMediaType(schema=_REFERENCE)},
    )


def _problem() -> Schema:
    text = Schema(type=OpenAPIType.STRING)
    fault = Schema(
        type=OpenAPIType.OBJECT,
        properties={"pointer": text, "detail": text},
        required=["pointer", "detail"],
    )
    kinds = sorted(TYPE_PREFIX + kind.slug for kind in (*TABLE.values(), INTERNAL))
    return Schema(
        title="Problem",
        description="RFC 9457; `errors` names the faults of a 400 by JSON Pointers (RFC 6901)",
        type=OpenAPIType.OBJECT,
        properties={
            "type": Schema(type=OpenAPIType.STRING, enum=kinds),
            "status": Schema(type=OpenAPIType.INTEGER),
            "title": text,
            "instance": text,
            "errors": Schema(type=OpenAPIType.ARRAY, items=fault),
        },
        required=["type", "status", "title"],
    )
