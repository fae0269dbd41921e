"""`POST /access/v1/search/resource`: which scenarios are open to this citizen now (AuthZEN 1.0).

Searched are the scenarios that the party is registered for and its token covers. An answer lists
every one that is open, in one page; `page` is accepted and ignored, as the standard allows. What is
unknown (a subject of somebody else's, another type) is found nowhere, which is no error.
"""

from __future__ import annotations

import msgspec

from gateway.clock import rfc3339
from gateway.edge.answer import Freshness
from gateway.edge.authzen_route import AuthZenRoute, ours_of
from gateway.edge.authzen_wire import SCENARIO, Entity, Item, searched
from gateway.edge.body import SEARCH_BYTES
from gateway.errors import Malformed
from gateway.keys import b64url
from gateway.parties import Principal
from gateway.scan import Limits
from gateway.search import Found, Search

_ITEM = msgspec.json.Decoder(Item)
_encode = msgspec.json.Encoder().encode


class Page(msgspec.Struct, frozen=True):
    """There is one page, whatever was asked for; an empty token says so."""

    count: int
    total: int
    next_token: str = ""


class SearchContext(msgspec.Struct, frozen=True):
    """What holds for the search as a whole.

    `cannot_assess` are scenarios for which a fact was missing or not as declared, or the city's
    own figures do not cover the day; it never depends on the citizen.
    """

    search_id: str
    cannot_assess: tuple[str, ...]
    valid_until: str
    freshness: Freshness
    receipt: str


class ResourceSearchAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The scenarios that are open; without a `context` where nothing was searched."""

    page: Page
    results: msgspec.Raw
    context: SearchContext | None = None


_RESULT = _encode(Entity(SCENARIO, "%b"))
_NOTHING = _encode(ResourceSearchAnswer(Page(0, 0), msgspec.Raw(b"[]")))


class ResourceSearchRoute(AuthZenRoute):
    """A search for resources."""

    limit_bytes = SEARCH_BYTES
    limits = Limits(members=1024)

    async def answer(self, principal: Principal, body: bytes, received_us: int) -> bytes:
        item = self.decoded(body, _ITEM)
        subject, context = searched(item), bytes(item.context) or b"{}"
        if context[:1] != b"{":
            raise Malformed([("/context", "Expected `object`")])
        ours = ours_of(context, "/context")
        city = self.city
        for place in city.searches.places.of(principal):
            citizen = city.pseudonyms.open(subject, place.sector) if subject else None
            if citizen is not None:
                search = Search(
                    principal=principal,
                    place=place,
                    citizen=citizen,
                    facts=context,
                    received_us=received_us,
                    deadline=city.clock.monotonic() + city.settings.decision_deadline_s,
                    staff=ours.staff,
                    reference=ours.reference,
                )
                return _encode(_answer(await city.searches.search(search)))
        return _NOTHING


def _answer(found: Found) -> ResourceSearchAnswer:
    count = len(found.scenarios)
    score_as_of = found.score_as_of.isoformat() if found.score_as_of else None
    return ResourceSearchAnswer(
        Page(count, count),
        # An id of a scenario needs no escaping.
        msgspec.Raw(b"[%b]" % b",".join([_RESULT % name.encode() for name in found.scenarios])),
        SearchContext(
            search_id=str(found.search),
            cannot_assess=found.cannot_assess,
            valid_until=rfc3339(found.valid_until_us),
            freshness=Freshness(score_as_of, rfc3339(found.at_us)),
            receipt=b64url(found.receipt),
        ),
    )
