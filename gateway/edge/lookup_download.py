"""`GET /v1/me/lookups/download`: every line that is wanted, as a file to keep.

Written page by page while it is read from the database, so that its length costs no memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final, Literal

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery
from litestar.response import Stream

from gateway import spreadsheet
from gateway.city import City
from gateway.clock import SHANGHAI, from_us
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.lookup_lines import line_of
from gateway.edge.lookup_table import Language, head, row
from gateway.edge.lookups import CHOOSING
from gateway.lookup_filter import Choice
from gateway.store.lookup import Line

Format = Literal["csv", "json"]
Lines = AsyncIterator[list[Line]]

MEDIA: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
}

_encode = msgspec.json.Encoder().encode


@get("/v1/me/lookups/download", opt={ACCESS: Access.CITIZEN}, dependencies=CHOOSING)
async def download(
    request: Request[Any, Any, Any],
    choice: NamedDependency[Choice],
    format: FromQuery[Format] = "csv",  # noqa: A002  the parameter's name
    lang: FromQuery[Language] = "zh",
) -> Stream:
    """Every lookup that fits the choice, newest first, as CSV or JSON to keep."""
    city = city_of(request)
    pages = city.lookups.all(citizen_of(request), choice.wanted())
    # The first page before the answer begins: what goes wrong up to here can still be a problem.
    first = await anext(pages)
    write = _csv(city, lang) if format == "csv" else _json(city)
    today = from_us(city.clock.now_us()).astimezone(SHANGHAI).date()
    name = f"qianjiang-lookups-{today.isoformat()}.{format}"
    return Stream(
        _written(first, pages, write),
        media_type=MEDIA[format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


class Writer(msgspec.Struct, frozen=True):
    """A form of the file: what comes before the lines, the lines (told whether any came before),
    and what comes after."""

    before: bytes
    lines: Callable[[Iterable[Line], bool], bytes]
    after: bytes


async def _written(first: list[Line], pages: Lines, write: Writer) -> AsyncIterator[bytes]:
    yield write.before + write.lines(first, False)
    has_any = bool(first)
    async for page in pages:
        yield write.lines(page, has_any)
        has_any = has_any or bool(page)
    yield write.after


def _csv(city: City, language: Language) -> Writer:
    def lines(page: Iterable[Line], _: bool) -> bytes:
        return spreadsheet.rows(row(line_of(city.registry, each), language) for each in page)

    return Writer(spreadsheet.BOM + spreadsheet.rows([head(language)]), lines, b"")


def _json(city: City) -> Writer:
    def lines(page: Iterable[Line], has_any: bool) -> bytes:
        told = b",".join(_encode(line_of(city.registry, each)) for each in page)
        return b"," + told if told and has_any else told

    return Writer(b'{"lookups":[', lines, b"]}")


HANDLERS: list[HTTPRouteHandler] = [download]
