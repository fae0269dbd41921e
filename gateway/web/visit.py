"""Another city's citizen sets out from here, and arrives with the home city's word."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.city import City
from gateway.clock import SECOND_US
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.visits import ARRIVAL_PAGE, VISIT_PAGE
from gateway.oauth.metadata import TOKEN_PATH
from gateway.recognition.entry import Words
from gateway.recognition.visit_sessions import SESSION_PATH
from gateway.web.render import PAGE, asked, page
from gateway.web.sign_in import REFUSALS
from scenarios.manifest import Text

#: How a visitor came back without having arrived: words of this page's own.
_RETURNED: Final = frozenset({"declined", "not-recognised"})
#: What went wrong here: the words are those of the problem.
_FAILED: Final = REFUSALS | {"visit-refused", "home-city-failed", "not-found"}


class Offered(msgspec.Struct, frozen=True):
    """A scenario that is open here to a city's citizens."""

    id: str
    title: Text
    summary: Text


class Home(msgspec.Struct, frozen=True):
    """A city whose citizens are recognised here now, as the trust list has it."""

    code: str
    name: Words
    contact: str
    scenarios: list[Offered]


@get(
    VISIT_PAGE,
    opt={ACCESS: Access.PUBLIC, PAGE: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def visit(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where from (`home`, GB/T 2260), and what for; `refused` is how the last try ended."""
    city, given = city_of(request), asked(request)
    homes, refused = _homes(city), given.get("refused", "")
    return page(
        request,
        "visit.html",
        homes=homes,
        home=_chosen(homes, given.get("home")),
        here=_here(city),
        returned=refused if refused in _RETURNED else None,
        failed=refused if refused in _FAILED else None,
    )


@get(
    ARRIVAL_PAGE,
    opt={ACCESS: Access.PUBLIC, PAGE: True},
    include_in_schema=False,
    sync_to_thread=False,
)
def arrive(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The last step, which the browser takes by itself: it shows that it holds the key.

    The proofs are dated by this page's clock: a telephone's may be wrong by minutes.
    """
    city = city_of(request)
    issuer = city.settings.issuer
    return page(
        request,
        "visit_arrive.html",
        token_url=issuer + TOKEN_PATH,
        session_url=issuer + SESSION_PATH,
        now_s=city.clock.now_us() // SECOND_US,
    )


def _homes(city: City) -> list[Home]:
    now_us = city.clock.now_us()
    found = [_home(city, code, now_us) for code in sorted(city.trust.partners(now_us))]
    return [home for home in found if home is not None and home.scenarios]


def _home(city: City, code: str, now_us: int) -> Home | None:
    """None where the list has changed since it was asked."""
    listed, agreed = city.trust.city(code), city.trust.agreed(code, now_us)
    if listed is None or agreed is None:
        return None
    manifests = [
        city.registry[each].manifest for each in sorted(agreed.scenarios & set(city.registry))
    ]
    offered = [Offered(each.id, each.title, each.summary) for each in manifests]
    return Home(code, listed.entry.name, listed.entry.contact, offered)


def _chosen(homes: list[Home], code: str | None) -> Home | None:
    if len(homes) == 1:
        return homes[0]
    return next((home for home in homes if home.code == code), None)


def _here(city: City) -> Words:
    """What this city is called in the region's list; its office's name while there is none."""
    own = city.trust.city(city.settings.city)
    name = city.settings.city_name
    return own.entry.name if own is not None else Words(zh=name, en=name)


HANDLERS: list[HTTPRouteHandler] = [visit, arrive]
