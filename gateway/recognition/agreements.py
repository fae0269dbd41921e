"""What two cities have agreed on at an instant, from what their operators signed.

Pure, and the same at every city that reads the same statements, in whatever order they come: one
person alone never moves anything, and what was ended stays ended. An operator counts once, by
name, however many statements or keys they have; an operator of a third city counts for nothing.
"""

from __future__ import annotations

import datetime
import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final, Literal

import msgspec

from gateway.claims import AgreementClaims, SchemeName
from gateway.clock import SECOND_US, SHANGHAI, from_us
from gateway.jose import FUTURE_S

#: So many operators of a city must say the same before the city has said it.
QUORUM: Final = 2

Act = Literal["sign", "suspend", "resume", "end"]
Pair = tuple[str, str]


class State(enum.StrEnum):
    """Where an agreement stands."""

    PROPOSED = "proposed"  # too few have signed
    DISPUTED = "disputed"  # both cities signed two different texts under one name: neither counts
    COMING = "coming"  # signed, its first day lies ahead
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"  # its last day is over
    ENDED = "ended"


class Terms(msgspec.Struct, frozen=True):
    """What is signed. `to` is the first day on which it does not hold; days are Shanghai's."""

    cities: Pair
    scenarios: frozenset[str]
    scheme: SchemeName
    from_: datetime.date
    to: datetime.date


class Statement(msgspec.Struct, frozen=True):
    """What one operator of one city said, its signature checked. `at_s` orders it."""

    city: str
    operator: str
    at_s: int
    act: Act
    cities: Pair
    terms: Terms | None = None  # of `sign` alone


class Agreement(msgspec.Struct, frozen=True):
    """An agreement at an instant. Until it is signed, `terms` are those with most signatures."""

    id: str
    terms: Terms
    state: State

    def other(self, city: str) -> str | None:
        """The other city, None where `city` is not one of the two."""
        low, high = self.terms.cities
        return {low: high, high: low}.get(city)


def statement_of(claims: AgreementClaims, city: str, operator: str) -> Statement | None:
    """The statement of an operator of `city`, None where it says nothing that could count."""
    low, high = claims.cities
    parts = claims.scenarios, claims.scheme, claims.from_, claims.to
    given = [part is not msgspec.UNSET for part in parts]
    if not low < high or city not in claims.cities:
        return None
    said = Statement(city, operator, claims.iat, claims.act, claims.cities)
    if claims.act != "sign":
        return None if any(given) else said
    scenarios, scheme, first, last = parts
    if (
        isinstance(scenarios, msgspec.UnsetType)
        or isinstance(scheme, msgspec.UnsetType)
        or isinstance(first, msgspec.UnsetType)
        or isinstance(last, msgspec.UnsetType)
        or not first < last
    ):
        return None
    terms = Terms(claims.cities, frozenset(scenarios), scheme, first, last)
    return msgspec.structs.replace(said, terms=terms)


def conclude(name: str, statements: Iterable[Statement], now_us: int) -> Agreement | None:
    """The agreement that statements under one name make at an instant (µs since the epoch).

    None where nobody signed anything. What is dated further ahead than clocks may differ does not
    count yet.
    """
    latest_s = now_us // SECOND_US + FUTURE_S
    said = {each for each in statements if each.at_s <= latest_s and each.city in each.cities}
    signers = _signers(said)
    if not signers:
        return None
    signed = [terms for terms, cities in signers.items() if _both(terms, cities)]
    if len(signed) > 1:
        return Agreement(name, min(signed, key=_order), State.DISPUTED)
    if not signed:
        most = max(signers, key=lambda terms: (_voices(signers[terms]), _order(terms)))
        return Agreement(name, most, State.PROPOSED)
    (terms,) = signed
    return Agreement(name, terms, _state(terms, said, now_us))


def day_of(moment_us: int) -> datetime.date:
    """The day in Asia/Shanghai of an instant (µs since the epoch)."""
    return from_us(moment_us).astimezone(SHANGHAI).date()


def _state(terms: Terms, said: Collection[Statement], now_us: int) -> State:
    by_city = [
        [each for each in said if each.city == city and each.cities == terms.cities]
        for city in terms.cities
    ]
    if any(_is_ended(own) for own in by_city):
        return State.ENDED
    today = day_of(now_us)
    if today >= terms.to:
        return State.EXPIRED
    if any(_is_suspended(own) for own in by_city):
        return State.SUSPENDED
    return State.IN_FORCE if terms.from_ <= today else State.COMING


def _signers(said: Iterable[Statement]) -> dict[Terms, dict[str, set[str]]]:
    """Who signed which terms: operators by city."""
    found: dict[Terms, dict[str, set[str]]] = {}
    for each in said:
        if each.act == "sign" and each.terms is not None:
            found.setdefault(each.terms, defaultdict(set))[each.city].add(each.operator)
    return found


def _both(terms: Terms, signers: dict[str, set[str]]) -> bool:
    return all(len(signers.get(city, ())) >= QUORUM for city in terms.cities)


def _voices(signers: dict[str, set[str]]) -> int:
    return sum(map(len, signers.values()))


def _order(terms: Terms) -> str:
    """Any order of terms that is the same everywhere."""
    return repr((terms.cities, sorted(terms.scenarios), terms.scheme, terms.from_, terms.to))


def _is_ended(own: Iterable[Statement]) -> bool:
    return len({each.operator for each in own if each.act == "end"}) >= QUORUM


def _is_suspended(own: Iterable[Statement]) -> bool:
    """Whether one city's statements leave it suspended.

    A city's operators suspend by two of them, and resume by two who say so later than that. Who
    takes their own word back before a second one joined in is no voice any more.
    """
    suspended, since_s = False, -1
    voices: set[str] = set()
    for each in _in_turn(own):
        moves = each.act == ("resume" if suspended else "suspend")
        if not moves:
            voices.discard(each.operator)
        elif each.at_s > since_s or not suspended:
            voices.add(each.operator)
        if len(voices) >= QUORUM:
            suspended, since_s = not suspended, each.at_s
            voices = set()
    return suspended


def _in_turn(own: Iterable[Statement]) -> Iterator[Statement]:
    """Suspensions and resumptions by time. Of the same second a suspension has the last word."""
    moves = (each for each in own if each.act in ("suspend", "resume"))
    yield from sorted(moves, key=lambda each: (each.at_s, each.act == "suspend", each.operator))
