"""A request for a consent, read before it is decided: who, what for, which answer, how long."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from gateway.city import City
from gateway.clock import DAY_US, rfc3339
from gateway.consent_notice import Notice, notice
from gateway.consent_requests import LINK_PATH
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.consents import REQUESTS
from gateway.errors import NotFound
from gateway.keys import b64url
from gateway.store.consent import ShownRequest
from gateway.web.consents import frequencies
from gateway.web.render import PAGE, asked, page
from gateway.web.scenarios import needs_notice, new_promise, say_of
from scenarios.manifest import Manifest

Token = Annotated[str, PathParameter(min_length=43, max_length=43)]

#: Days that a consent may be given for instead of the most that its text says.
_DAYS: Final = (1, 7, 30, 90, 180)


@get(LINK_PATH + "{token:str}", opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def consent(request: Request[Any, Any, Any], token: Token) -> Response[bytes]:
    """The page behind a link. What the law wants asked on its own has a screen of its own first."""
    city, citizen = city_of(request), citizen_of(request)
    shown = await city.consent_requests.shown(token, citizen)
    compiled = city.registry.get(shown.scenario)
    if compiled is None:
        raise NotFound  # the scenario has gone since
    now_us = city.clock.now_us()
    told = notice(city.settings, compiled, shown, now_us)
    became = "expired" if shown.over else shown.status
    values: dict[str, Any] = {
        "shown": shown,
        "told": told,
        "became": became,
        "returns_to": urlsplit(shown.return_uri).netloc if shown.return_uri else None,
        "grant": f"{REQUESTS}/{token}/grant",
        "decline": f"{REQUESTS}/{token}/decline",
        "declined": _ordinary(shown, token),
    }
    values["peers"] = await city.consent_requests.peers(shown.id)
    look = await city.offers.at(citizen, shown.scenario, shown.party)
    promise = look is not None and look.openness.asks_for_a_promise
    if became != "pending":
        return page(
            request,
            "consent_ended.html",
            **values,
            line=_line(became, compiled.manifest, promise=promise),
            sign=new_promise(shown.scenario, shown.party, f"{LINK_PATH}{token}"),
        )
    read = _proof(city, request, token)
    if told.separate and asked(request).get("read") != read:
        onwards = f"{LINK_PATH}{token}?{urlencode({'read': read})}"
        return page(request, "consent_special.html", **values, special=_special(told), on=onwards)
    return page(
        request,
        "consent.html",
        **values,
        granted=_onwards(shown, token, promise=promise),
        needs_notice=needs_notice(compiled.manifest, await say_of(city, citizen)),
        here=f"{LINK_PATH}{token}",
        days=[
            (days, rfc3339(now_us + days * DAY_US)) for days in _DAYS if days < told.longest_days
        ],
        frequencies=frequencies(told.frequency_per_day),
    )


def _line(became: str, manifest: Manifest, *, promise: bool) -> str:
    """Which line tells what became of it; with a consent, whether the promise stands as well.

    `promise`: the rule still asks for one.
    """
    if became != "granted" or manifest.commitment is None:
        return became
    return "unpromised" if promise else "promised"


def _special(told: Notice) -> str:
    """Why this is asked for on its own: another city, health, or as the scenario says."""
    if told.asked_by.city is not None:
        return "city"
    return "health" if told.asked_by.kind == "hospital" else "other"


def _proof(city: City, request: Request[Any, Any, Any], token: str) -> str:
    """What shows that the first screen was gone through in this very session.

    A party that gives out a link cannot know it, so it cannot lead anybody past that screen.
    """
    session = city.sessions.csrf_token(request)
    return b64url(hashlib.sha256(f"separate/{session}/{token}".encode()).digest()[:16])


def _onwards(shown: ShownRequest, token: str, *, promise: bool) -> str:
    """Where a grant leads: to the promise if the rule misses one, a second act of its own."""
    then = _scenario(shown, "granted") if shown.own else f"{LINK_PATH}{token}"
    return new_promise(shown.scenario, shown.party, then) if promise else then


def _ordinary(shown: ShownRequest, token: str) -> str:
    """Where declining leads: the ordinary way in one line, and nothing more to answer."""
    return _scenario(shown, "ordinary") if shown.own else f"{LINK_PATH}{token}"


def _scenario(shown: ShownRequest, done: str) -> str:
    return f"/app/scenarios/{shown.scenario}?done={done}"


HANDLERS: list[HTTPRouteHandler] = [consent]
