"""Consents kept in hand: all of them, one with its history, and what the first page shows."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.city import City
from gateway.clock import DAY_US, rfc3339
from gateway.consent_rules import state
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.errors import NotFound
from gateway.store.consent import HeldConsent
from gateway.web.render import PAGE, page
from scenarios.manifest import Text

#: For how many days a pause or a consent may be chosen, and how many questions a day.
PAUSES: Final = (1, 7, 30)
FREQUENCIES: Final = (1, 2, 3, 5, 10, 20)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A consent as its citizen keeps it in hand; `today` counts its answers since midnight.

    `most` is the scenario's own bound of questions a day.
    """

    id: UUID
    scenario: str
    title: Text
    status: str
    recipient: str
    contact: str
    promise: str
    since_us: int
    until_us: int
    paused_until_us: int | None
    frequency: int | None
    most: int | None
    today: int
    text_version: str
    changed_us: int
    now_us: int

    @property
    def live(self) -> bool:
        """Whether it answers, or may be resumed."""
        return self.status in ("active", "paused")

    @property
    def fresh(self) -> bool:
        """Live, or ended so recently that its end is still shown among the live ones."""
        return self.live or self.now_us - self.changed_us < DAY_US


async def cards(city: City, citizen: UUID) -> list[Card]:
    """The citizen's consents: the live ones first, then by their last change."""
    held, today = await city.consents.held(citizen)
    found = [_card(city, each, today.get(each.consent.id, 0)) for each in held]
    return sorted(found, key=lambda each: (not each.live, -each.changed_us))


def pauses(now_us: int) -> list[tuple[int, str]]:
    """How long a pause may be chosen to last: days, and the instant at which it ends."""
    return [(days, rfc3339(now_us + days * DAY_US)) for days in PAUSES]


@get("/app/consents", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def every(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All consents, those that have ended as well."""
    city = city_of(request)
    found = await cards(city, citizen_of(request))
    return page(
        request,
        "consents.html",
        live=[each for each in found if each.live],
        ended=[each for each in found if not each.live],
        pauses=pauses(city.clock.now_us()),
    )


@get(
    "/app/consents/{consent:uuid}",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def one(request: Request[Any, Any, Any], consent: FromPath[UUID]) -> Response[bytes]:
    """One consent: what it says, how it came to be, how often a day."""
    city, citizen = city_of(request), citizen_of(request)
    found = [each for each in await cards(city, citizen) if each.id == consent]
    if not found:
        raise NotFound
    return page(
        request,
        "one_consent.html",
        card=found[0],
        history=(await city.consents.history(citizen, consent))[::-1],
        frequencies=frequencies(found[0].most),
        pauses=pauses(city.clock.now_us()),
    )


def frequencies(most: int | None) -> list[int]:
    """The questions a day that may be chosen from, within the scenario's own bound."""
    return [each for each in FREQUENCIES if most is None or each < most]


def _card(city: City, held: HeldConsent, today: int) -> Card:
    consent, compiled = held.consent, city.registry.get(held.consent.scenario)
    manifest = compiled.manifest if compiled else None
    return Card(
        id=consent.id,
        scenario=consent.scenario,
        title=city.registry.title(consent.scenario),
        status=state(consent),
        recipient=held.recipient_name,
        contact=held.recipient_contact,
        promise=held.recipient_promise,
        since_us=consent.from_us,
        until_us=consent.to_us,
        paused_until_us=consent.paused_until_us,
        frequency=consent.frequency,
        most=manifest.consent.frequency_per_day if manifest else None,
        today=today,
        text_version=consent.text_version,
        changed_us=consent.at_us,
        now_us=consent.now_us,
    )


HANDLERS: list[HTTPRouteHandler] = [every, one]
