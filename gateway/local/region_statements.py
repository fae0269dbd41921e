"""What operators say about agreements, as a region takes it: proved, and about cities of its list.

Readers prove it again; a region that knows better says so to whoever sends it, in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from gateway.claims import RULES, AgreementClaims, Kind
from gateway.jose import Reason, Refused, verify
from gateway.jwk import Key, unb64url
from gateway.local.region_rules import RegionDeclines
from gateway.recognition.entry import City

#: Why the guard refuses a statement, and what to do.
_WORDS: Final = {
    Reason.KEY: "no operator of that city in the list has the key; sign with one of theirs, or "
    "send the region an entry that names this operator",
    Reason.SIGNATURE: "an operator's key is named, and another one signed; sign again",
    Reason.AUDIENCE: "it is said to another region; draft the terms anew for this one",
    Reason.NOT_YET: "it is dated ahead; set the clock right and sign again",
}


class Agreement(msgspec.Struct, frozen=True):
    """All that operators have said about one agreement, as it is published."""

    id: str
    statements: tuple[str, ...]


class Operators:
    """The operators' keys of some cities, for the guard."""

    def __init__(self, cities: Iterable[City]) -> None:
        self._cities = {city.entry.issuer: city for city in cities}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key that an operator of the city at `issuer` has under this name."""
        city = self._cities.get(issuer)
        return city.operators.get(kid) if kind is Kind.AGREEMENT and city is not None else None


def claims_of(compact: str) -> AgreementClaims:
    """What a statement says, unverified.

    Raises:
        RegionDeclines: it is not of the form of a statement.
    """
    try:
        claims = RULES[Kind.AGREEMENT].decode.decode(unb64url(compact.split(".")[1]))
    except (IndexError, ValueError, RecursionError):
        raise RegionDeclines(
            "not a statement about an agreement, as `qianjiang cities agreement` prints it"
        ) from None
    assert isinstance(claims, AgreementClaims), "the decoder is of this kind"
    return claims


def proved(compact: str, cities: Mapping[str, City], region: str, now_us: int) -> AgreementClaims:
    """What a statement says, once an operator of a city that it is about is known to have said it.

    Args:
        compact: the statement as compact JWS.
        cities: those of the list, by code.
        region: the region's own name.
        now_us: µs since the epoch.

    Raises:
        RegionDeclines: it is no such statement.
    """
    claims = claims_of(compact)
    if not claims.cities[0] < claims.cities[1]:
        raise RegionDeclines("an agreement is between two cities, the lower code first")
    parties = [city for code, city in cities.items() if code in claims.cities]
    if len(parties) != 2:
        raise RegionDeclines(
            f"{' and '.join(claims.cities)} are not both on the list; it has "
            f"{', '.join(cities) or 'nobody'}"
        )
    if claims.iss not in {each.entry.issuer for each in parties}:
        raise RegionDeclines(f"{claims.iss} is the issuer of neither city in the list")
    passed = verify(
        compact, Kind.AGREEMENT, Operators(parties), issuer=claims.iss, audience=region,
        now_us=now_us,
    )  # fmt: skip
    if isinstance(passed, Refused):
        why = _WORDS.get(passed.reason, f"sign it again ({passed.reason})")
        raise RegionDeclines(f"not signed by an operator of its city: {why}")
    terms = (claims.scenarios, claims.scheme, claims.from_, claims.to)
    if any((term is msgspec.UNSET) is (claims.act == "sign") for term in terms):
        raise RegionDeclines("the terms belong to the act `sign`, all of them, and to no other")
    return claims
