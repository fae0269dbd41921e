"""Recognition schemes, open to everybody: by which table cities recognise each other's citizens."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.edge.access import ACCESS, Access, city_of
from gateway.errors import NotFound
from scenarios.manifest import Text
from scenarios.schemes import Scheme

#: One spelling of each number: nothing is at two addresses.
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


class SchemeSummary(msgspec.Struct, frozen=True):
    """A version of a scheme in short; `from` is the first day (Asia/Shanghai) of its use."""

    id: str
    version: int
    start: date = msgspec.field(name="from")
    title: Text


class SchemeList(msgspec.Struct, frozen=True):
    """Every version of every scheme that this city knows."""

    schemes: list[SchemeSummary]


@get("/v1/recognition/schemes", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def schemes(request: Request[Any, Any, Any]) -> SchemeList:
    """The tables by which cities recognise each other's citizens, former versions included."""
    return SchemeList(
        [
            SchemeSummary(each.id, each.version, each.start, each.title)
            for each in city_of(request).schemes.all()
        ]
    )


@get(
    "/v1/recognition/schemes/{scheme:str}/{version:str}",
    opt={ACCESS: Access.PUBLIC},
    sync_to_thread=False,
)
def scheme(
    request: Request[Any, Any, Any], scheme: FromPath[str], version: FromPath[str]
) -> Scheme:
    """A version whole: tiers, what scenarios need, limits, and each city's own bands. It never
    changes."""
    number = int(version) if _NUMBER.fullmatch(version) else 0
    found = city_of(request).schemes.get(scheme, number)
    if found is None:
        raise NotFound
    return found


HANDLERS: list[HTTPRouteHandler] = [schemes, scheme]
