"""`GET /openapi.json`: the contract as a document (OpenAPI 3.1), made from the code that keeps it.

It is drawn from an application that serves nobody: the real route table and twins of the hot
routes, which are answered before the framework. So the framework's documentation pages, which fetch
scripts from strangers' hosts, are no routes of the gateway. What the framework gets wrong is put
right afterwards: its own error bodies, which never leave this gateway; regular expressions in
Python's dialect; unknown members, which are refused; who may call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from gateway.city import City
from gateway.edge.access import ACCESS, Access
from gateway.edge.problems import INTERNAL, TABLE
from gateway.edge.twins import twins
from gateway.sessions import CSRF_HEADER

Json = dict[str, Any]

PATH = "/openapi.json"

#: Methods that change nothing (RFC 9110 9.2.1).
_SAFE = frozenset({"get", "head", "options"})
_METHODS = (*_SAFE, "put", "post", "delete", "patch")
_REFERENCE = "#/components/schemas/"


class Document:
    """The document of a worker, drawn when first asked for."""

    def __init__(self, city: City, handlers: Sequence[HTTPRouteHandler]) -> None:
        self._city, self._handlers = city, handlers
        self._drawn = b""
        self._drawing = asyncio.Lock()

    async def text(self) -> bytes:
        """Its JSON."""
        # Once however many ask together, and beside the event loop: drawing takes as long as a
        # thousand decisions.
        async with self._drawing:
            if not self._drawn:
                document = await asyncio.to_thread(draw, self._city, self._handlers)
                self._drawn = msgspec.json.encode(document)
        return self._drawn


@get(PATH, opt={ACCESS: Access.PUBLIC})
async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """This document."""
    document: Document = request.app.state.contract
    return Response(await document.text(), media_type="application/json")


def draw(city: City, handlers: Sequence[HTTPRouteHandler]) -> Json:
    """The document of these handlers and the hot routes."""
    config = OpenAPIConfig(title="钱江分 scenario gateway", version="1", path="/unserved")
    # Without the second setting this application would take over the process's logging.
    model = Litestar([*handlers, *twins(city)], openapi_config=config, logging_config=None)
    document: Json = model.openapi_schema.to_schema()
    document["servers"] = [{"url": city.settings.issuer}]
    components = document["components"]
    components["schemas"]["Problem"] = problem_schema()
    components["securitySchemes"] = _schemes(city.sessions.cookie, city.counter_sessions.cookie)
    opts = _opts(model)
    for path, method, operation in _operations(document):
        opt = opts[path, method]
        operation["security"] = _security(opt.get(ACCESS), method)
        operation["responses"] = _with_problems(operation["responses"])
        if not opt.get("authzen"):
            _close(operation.get("requestBody"), components["schemas"])
    return _portable(document)  # type: ignore[no-any-return]  # an object comes back as one


def problem_schema() -> Json:
    """Problem details (RFC 9457) from the table that answers with them."""
    text = {"type": "string"}
    kinds = sorted(kind.type for kind in (*TABLE.values(), INTERNAL))
    fault = {
        "type": "object",
        "properties": {"pointer": text, "detail": text},
        "required": ["pointer", "detail"],
    }
    return {
        "title": "Problem",
        "description": "RFC 9457; `errors` names the faults of a 400 by JSON Pointers (RFC 6901),"
        " `violated-policies` the limit of a 429",
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": kinds},
            "status": {"type": "integer"},
            "title": text,
            "instance": text,
            "errors": {"type": "array", "items": fault},
            "violated-policies": {"type": "array", "items": text},
        },
        "required": ["type", "status", "title"],
    }


def _opts(model: Litestar) -> dict[tuple[str, str], dict[str, Any]]:
    """What each operation's route declares."""
    return {
        (route.path_format, method.lower()): handler.opt
        for route in model.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
    }


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _with_problems(responses: Json) -> Json:
    kept = {status: told for status, told in responses.items() if not status.startswith(("4", "5"))}
    problem = {"schema": {"$ref": _REFERENCE + "Problem"}}
    return kept | {
        "default": {
            "description": "A problem; `type` and `status` are stable",
            "content": {"application/problem+json": problem},
        }
    }


def _schemes(citizen: str, staff: str) -> Json:
    return {
        "party": {"type": "http", "scheme": "bearer", "bearerFormat": "RFC 9068 JWT"},
        "party-bound": {
            "type": "http",
            "scheme": "dpop",
            "description": "The same, bound to a key, with a proof in the field DPoP (RFC 9449)",
        },
        "citizen": {"type": "apiKey", "in": "cookie", "name": citizen},
        "staff": {"type": "apiKey", "in": "cookie", "name": staff},
        "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
    }


_PARTY: Final[list[Json]] = [{"party": []}, {"party-bound": []}]


def _security(access: Access | None, method: str) -> list[Json]:
    match access:
        case Access.PUBLIC:
            return []
        case Access.CITIZEN | Access.STAFF:
            caller: Json = {access.value: []}
            return [caller if method in _SAFE else caller | {"csrf": []}]
        case Access.PARTY_OR_CITIZEN:
            return [*_PARTY, {"citizen": []}]
    return _PARTY


def _close(node: Any, schemas: Json) -> None:
    """Say that a body's objects take no unknown members, as the strict decoder does."""
    match node:
        case {"$ref": str(reference)}:
            _close(schemas[reference.removeprefix(_REFERENCE)], schemas)
        case {"properties": dict(members)} if "additionalProperties" not in node:
            node["additionalProperties"] = False
            _close(list(members.values()), schemas)
        case dict():
            _close(list(node.values()), schemas)
        case list():
            for each in node:
                _close(each, schemas)


def _portable(node: Any) -> Any:
    """The document with regular expressions as other languages write them (ECMA 262)."""
    match node:
        case {"pattern": str(pattern)}:
            kept = {key: _portable(value) for key, value in node.items()}
            return kept | {"pattern": pattern.replace("\\A", "^").replace("\\Z", "$")}
        case dict():
            return {key: _portable(value) for key, value in node.items()}
        case list() | tuple():
            return [_portable(each) for each in node]
    return node
