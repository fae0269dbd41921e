"""信用码: a citizen shows a code, a party redeems it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from gateway import qr
from gateway.clock import rfc3339
from gateway.credit_codes import QR_CHARS, TYPED_DIGITS
from gateway.edge.access import ACCESS, Access, citizen_of, city_of, principal_of
from gateway.edge.consent_requests import ConsentAsked, Purpose, status_of
from gateway.edge.idempotency import act_of
from gateway.edge.wire import DeskNumber, ScenarioId

Code = Annotated[
    str,
    Meta(
        pattern=rf"\A(?:[A-Za-z0-9_-]{{{QR_CHARS}}}|[0-9]{{{TYPED_DIGITS}}})\Z",
        description="What a QR code says, or the eight digits that were made for this desk.",
    ),
]


class ShowCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code to show; with a desk's number one of eight digits, for that desk alone."""

    desk: DeskNumber | None = None


class CodeScan(msgspec.Struct, frozen=True):
    """Who has scanned a code of this session, and when."""

    party: str
    at: str


class ShownCode(msgspec.Struct, frozen=True):
    """A code, its picture where it is one to scan, and what happened to those before it."""

    code: str
    expires_at: str
    lives_s: int
    renewal_s: int
    """Seconds until it ends, and until the next one should be shown."""
    desk: str | None
    svg: str | None
    """The code as a QR code: an SVG document, black on white."""
    asks: list[str]
    """Pages of what parties ask the citizen in person just now, newest first."""
    scans: list[CodeScan]
    """Who scanned codes of this session within ten minutes, newest first."""


class Redeem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that a citizen shows to a party which wants to ask about a scenario."""

    code: Code
    scenario: ScenarioId
    purpose: Purpose | None = None
    """Of the request that is made where no consent stands; the scenario's first if left out."""
    desk: DeskNumber | None = None
    """The party's own desk at which it is shown; needed for a code of eight digits."""


class RedeemedCode(msgspec.Struct, frozen=True):
    """The citizen's subject where a consent stands, else the request that the citizen now sees."""

    subject: str | UnsetType = UNSET
    consent_request: ConsentAsked | UnsetType = UNSET


@post("/v1/me/credit-code", opt={ACCESS: Access.CITIZEN}, status_code=201)
async def show(request: Request[Any, Any, Any], data: JSONBody[ShowCode]) -> ShownCode:
    """A new code to show, good once and for a short time; the third last one ends."""
    city, citizen, session = city_of(request), citizen_of(request), _session(request)
    if data.desk is not None:
        await city.desk_requests.find(citizen, data.desk)
    shown = await city.credit_codes.show(citizen, session, data.desk)
    scans = await city.credit_codes.scans(citizen, session)
    return ShownCode(
        code=shown.code,
        expires_at=rfc3339(shown.expires_us),
        lives_s=shown.lives_s,
        renewal_s=shown.renewal_s,
        desk=shown.desk,
        svg=qr.svg(shown.code) if shown.desk is None else None,
        asks=await city.consent_requests.waiting_links(citizen),
        scans=[CodeScan(scan.party, rfc3339(scan.at_us)) for scan in scans],
    )


@post("/v1/credit-codes/redeem", opt={ACCESS: Access.PARTY}, status_code=200)
async def redeem(request: Request[Any, Any, Any], data: JSONBody[Redeem]) -> RedeemedCode:
    """Learn who shows a code: once. What cannot be redeemed is a 404, whatever the cause."""
    city, principal = city_of(request), principal_of(request)
    act = await act_of(request, principal, required=False)
    told = await city.credit_codes.redeem(
        principal, data.code, data.scenario, data.purpose, data.desk, act
    )
    held = told.request
    if held is None:
        return RedeemedCode(subject=told.subject)
    link = city.consent_requests.link(held.id)
    asked = ConsentAsked(held.id, status_of(held), link, rfc3339(held.expires_us))
    return RedeemedCode(consent_request=asked)


def _session(request: Request[Any, Any, Any]) -> bytes:
    return city_of(request).sessions.key(request)


HANDLERS: list[HTTPRouteHandler] = [show, redeem]
