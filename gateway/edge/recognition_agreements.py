"""This city's agreements with other cities, open to everybody."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.claims import SchemeName
from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, city_of
from gateway.recognition.agreements import Agreement


class AgreementLine(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as this city sees it now. `to` is the first day on which it does not hold.

    `state`: `proposed` (too few have signed), `disputed` (two texts were signed under one id, and
    neither counts), `coming`, `in_force`, `suspended`, `expired`, `ended`.
    """

    id: str
    cities: tuple[str, str]
    scenarios: list[str]
    scheme: SchemeName
    from_: datetime.date = msgspec.field(name="from")
    to: datetime.date
    state: str


class Agreements(msgspec.Struct, frozen=True):
    """All of them, with the instant until which the list they come from holds.

    `until` is null where there is no list that holds: nobody is recognised then.
    """

    agreements: list[AgreementLine]
    until: str | None


@get("/v1/recognition/agreements", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def agreements(request: Request[Any, Any, Any]) -> Agreements:
    """What this city has agreed on with others: for which scenarios, by which scheme, until when.

    In force is what two operators of each city signed and nobody suspended or ended.
    """
    city = city_of(request)
    now_us = city.clock.now_us()
    until_us = city.trust.until_us
    until = rfc3339(until_us) if now_us < until_us else None
    return Agreements([_line(each) for each in city.trust.agreements(now_us)], until)


def _line(agreement: Agreement) -> AgreementLine:
    terms = agreement.terms
    return AgreementLine(
        id=agreement.id,
        cities=terms.cities,
        scenarios=sorted(terms.scenarios),
        scheme=terms.scheme,
        from_=terms.from_,
        to=terms.to,
        state=agreement.state.value,
    )


HANDLERS: list[HTTPRouteHandler] = [agreements]
