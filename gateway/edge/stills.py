"""A still of a camera as a request's body: `?width=…`, and one byte of grey for each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from gateway.edge.body import read_raw
from gateway.errors import Malformed, UnsupportedMediaType
from gateway.still import BYTES_MAX, SIDE_MAX, SIDE_MIN, check_size, read_code

MEDIA_TYPE: Final = "application/octet-stream"

#: What a slow telephone may take to send one.
DEADLINE_S: Final = 9.0


@dataclass
class StillOperation(Operation):
    """A still's place in the OpenAPI document: it is read by itself."""

    def __post_init__(self) -> None:
        pixels = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format="binary"))  # type: ignore[arg-type]  # the enum lacks "binary" (RFC: OpenAPI 3.1 4.8.14.2)
        self.request_body = RequestBody(content={MEDIA_TYPE: pixels}, required=True)
        side = Schema(type=OpenAPIType.INTEGER, minimum=SIDE_MIN, maximum=SIDE_MAX)
        self.parameters = [Parameter(name="width", param_in="query", schema=side, required=True)]


async def read_still(request: Request[Any, Any, Any]) -> str | None:
    """The text of the code in a request's still, None without one.

    Raises:
        UnsupportedMediaType, TooLarge, TooSlow, ClientGone: as `read_body`.
        Malformed: the width is missing, or the body is not a still of that width.
        Overloaded: too many stills are waiting.
    """
    if request.headers.get("content-type") != MEDIA_TYPE:
        raise UnsupportedMediaType
    width = _width(request)
    grey = await read_raw(
        request.scope, request.receive, limit_bytes=BYTES_MAX, deadline_s=DEADLINE_S
    )
    height = len(grey) // width
    check_size(width, height, len(grey))
    return await read_code(width, height, grey)


def _width(request: Request[Any, Any, Any]) -> int:
    given = request.query_params.getall("width", [])
    if len(given) != 1 or not (given[0].isascii() and given[0].isdigit() and len(given[0]) <= 4):
        raise Malformed([("/width", "must be given once, in pixels")])
    width = int(given[0])
    check_size(width, SIDE_MIN, width * SIDE_MIN)
    return width
