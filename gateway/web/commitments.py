"""Promises: what I have signed, the text before I sign, and the receipt afterwards."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from gateway.city import City
from gateway.commitment_receipt import made_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.commitments import Wish
from gateway.errors import Malformed, NotFound
from gateway.store.commitment import CommitmentRow
from gateway.web.render import PAGE, asked, page
from gateway.web.sign_in import is_own_page
from scenarios.manifest import Text

PATH: Final = "/app/commitments"

#: Promises on one page; the older ones are on the next.
SHOWN: Final = 30

_START = Annotated[int, Meta(ge=0, le=100_000)]


class Card(msgspec.Struct, frozen=True):
    """One promise in the list. `changed`: the scenario has other words today."""

    row: CommitmentRow
    title: Text
    text: Text | None
    device: str
    changed: bool


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def commitments(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All of mine: those in force first, then the newest."""
    city, citizen = city_of(request), citizen_of(request)
    rows = await city.commitments.of(citizen)
    rows.sort(key=lambda row: (row.status != "signed", -row.at_us))
    start = _start(asked(request).get("from", "0"))
    shown = rows[start : start + SHOWN]
    return page(
        request,
        "commitments.html",
        cards=await _cards(city, citizen, shown),
        older=start + SHOWN if len(rows) > start + SHOWN else None,
        first=start == 0,
        open=_open(city, {row.scenario for row in rows if row.status == "signed"}),
    )


@get(PATH + "/new", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def new(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The whole text, and my word on it; `then` is where to go afterwards, whatever I decide."""
    city, citizen = city_of(request), citizen_of(request)
    wanted = asked(request)
    wish, then = _wish(wanted), wanted.get("then", "")
    offer = city.commitments.offer(wish.scenario, wish.party)
    entity = offer.recipient.entity if offer.recipient else None
    rows = await city.commitments.of(citizen)
    same = [row for row in rows if (row.scenario, row.entity) == (wish.scenario, entity)]
    return page(
        request,
        "commitment_new.html",
        wish=wish,
        title=city.commitments.title(wish.scenario),
        text=offer.text,
        recipient=offer.recipient,
        held=same[0] if same and same[0].status == "signed" else None,
        then=then if is_own_page(then) else PATH,
        owner=citizen.hex,
    )


@get(
    PATH + "/{commitment_id:uuid}",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def one(request: Request[Any, Any, Any], commitment_id: FromPath[UUID]) -> Response[bytes]:
    """One of mine, with its receipt."""
    city, citizen = city_of(request), citizen_of(request)
    evidence = await city.commitments.evidence(citizen, commitment_id, None)
    title = city.commitments.title(evidence.row.scenario)
    return page(
        request,
        "commitment.html",
        row=evidence.row,
        device=evidence.device,
        changed=_changed(city, evidence.row),
        receipt=made_of(evidence, title),
    )


async def _cards(city: City, citizen: UUID, rows: list[CommitmentRow]) -> list[Card]:
    texts = await city.commitments.texts(rows)
    devices = {device.id: device.name for device in await city.devices.of(citizen)}
    return [
        Card(
            row,
            city.commitments.title(row.scenario),
            texts[row.id],
            devices.get(row.device, "") if row.device else "",
            _changed(city, row),
        )
        for row in rows
    ]


def _changed(city: City, row: CommitmentRow) -> bool:
    scenario = city.registry.get(row.scenario)
    text = scenario.manifest.commitment if scenario else None
    return text is not None and text.text_sha256 != row.text_sha256


def _open(city: City, signed: set[str]) -> list[tuple[str, Text]]:
    """The live scenarios that ask for a promise and have none of mine."""
    manifests = [city.registry[name].manifest for name in city.registry]
    return [
        (manifest.id, manifest.title)
        for manifest in manifests
        if manifest.status == "live" and manifest.commitment and manifest.id not in signed
    ]


def _wish(wanted: dict[str, str]) -> Wish:
    named = {name: wanted[name] for name in ("scenario", "party") if wanted.get(name)}
    try:
        return msgspec.convert(named, Wish)
    except msgspec.ValidationError:
        raise NotFound from None


def _start(text: str) -> int:
    try:
        return msgspec.convert(text, _START, strict=False)
    except msgspec.ValidationError:
        raise Malformed([("/from", "not a place in the list")]) from None


HANDLERS: list[HTTPRouteHandler] = [commitments, new, one]
