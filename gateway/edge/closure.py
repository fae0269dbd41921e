"""Closing the account: what it means and what stands in its way, then the act itself."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.login import signed_out
from gateway.edge.wire import Sha256
from gateway.notice import Item
from gateway.store.closure import OpenMatter

_PATH = "/v1/me/closure"


class OpenMatterView(msgspec.Struct, frozen=True, kw_only=True):
    """What must be settled first: a `deposit`, a `medical_advance` or a `loan`.

    `with_whom` is the organisation where there is one; `since` or, of a loan, `due`.
    """

    kind: str
    with_whom: str | None
    amount_fen: int | None
    items: int | None
    since: str | None
    due: str | None


class ClosureText(msgspec.Struct, frozen=True, kw_only=True):
    """What is read before; `zh` is the binding text. An item's id begins with its part."""

    version: str
    text_sha256: str
    zh: str
    en: str
    items: tuple[Item, ...]
    open_matters: list[OpenMatterView]


class Close(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The citizen's word, by the text that was read."""

    text_sha256: Sha256


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def closure(request: Request[Any, Any, Any]) -> ClosureText:
    """What ends, what is erased, what the law keeps; and what must be settled first."""
    closing = city_of(request).closing
    matters = await closing.open_matters(citizen_of(request))
    text = closing.text
    return ClosureText(
        version=text.version,
        text_sha256=text.sha256.hex(),
        zh=text.zh,
        en=text.en,
        items=text.items,
        open_matters=[_matter(each) for each in matters],
    )


@post(_PATH, opt={ACCESS: Access.CITIZEN}, status_code=204)
async def close(request: Request[Any, Any, Any], data: JSONBody[Close]) -> Response[None]:
    """Close the account for good; whoever sends it twice reads a 401, for nobody is left."""
    city = city_of(request)
    await city.closing.close(citizen_of(request), bytes.fromhex(data.text_sha256))
    return signed_out(city)


def _matter(matter: OpenMatter) -> OpenMatterView:
    at, is_loan = rfc3339(matter.at_us), matter.kind == "loan"
    return OpenMatterView(
        kind=matter.kind,
        with_whom=matter.with_whom,
        amount_fen=matter.amount_fen,
        items=matter.items,
        since=None if is_loan else at,
        due=at if is_loan else None,
    )


HANDLERS: list[HTTPRouteHandler] = [closure, close]
