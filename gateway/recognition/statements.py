"""Operators' statements about agreements, from compact JWS to what they say.

Pure. A signature is looked at once: the same text by the same key says the same for ever.
"""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.claims import AgreementClaims, Kind
from gateway.jose import Passed, issuer_of, kid_of, verify
from gateway.jwk import Key, thumbprint, unb64url
from gateway.recognition.agreements import Pair, Statement, statement_of
from gateway.recognition.entry import City
from gateway.recognition.trust_list import TrustList

#: Later than any `iat`: whether a statement is dated ahead is asked when it is counted, since time
#: passes and a text that was looked at is not looked at again.
_ANY_TIME_US: Final = 253_402_300_799 * 1_000_000

#: (agreement, text, city, operator, the key's own name) → what was said, None where it is nothing.
Heard = dict[tuple[str, str, str, str, str], Statement | None]


class _Named(msgspec.Struct, frozen=True):
    cities: Pair


_decode_named = msgspec.json.Decoder(_Named, strict=True).decode


class Statements:
    """The statements of the agreements that one city has, as far as they are proved."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._heard: Heard = {}

    def read(self, listed: TrustList) -> dict[str, tuple[Statement, ...]]:
        """By agreement, those that name this city, each by an operator whom the list names."""
        own = {
            name: texts
            for name, texts in listed.agreements.items()
            if any(self._code in named(text) for text in texts)
        }
        by_issuer = {city.entry.issuer: city for city in listed.cities.values()}
        before, self._heard = self._heard, {}
        found: dict[str, tuple[Statement, ...]] = {}
        for name, texts in own.items():
            said = (self._hear(name, text, by_issuer, listed.iss, before) for text in texts)
            # What others call by the same name is theirs, and moves nothing here.
            found[name] = tuple(each for each in said if each and self._code in each.cities)
        return found

    def _hear(
        self, name: str, text: str, by_issuer: dict[str, City], region: str, before: Heard
    ) -> Statement | None:
        city = by_issuer.get(issuer_of(text, Kind.AGREEMENT) or "")
        kid = kid_of(text) or ""
        if city is None or (key := city.operators.get(kid)) is None:
            return None
        place = (name, text, city.entry.code, city.signers[kid], thumbprint(key.public))
        said = before[place] if place in before else _proved(name, text, city, kid, region)
        self._heard[place] = said
        return said


class _Operators:
    """The guard's `Keys` of one city's operators."""

    def __init__(self, city: City) -> None:
        self._city = city

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        if (kind, issuer) != (Kind.AGREEMENT, self._city.entry.issuer):
            return None
        return self._city.operators.get(kid)


def named(text: str) -> tuple[str, ...]:
    """The cities that a statement names, unverified."""
    try:
        return _decode_named(unb64url(text.split(".")[1])).cities
    except (ValueError, IndexError, msgspec.DecodeError, RecursionError):
        return ()


def _proved(name: str, text: str, city: City, kid: str, region: str) -> Statement | None:
    """What a text says about the agreement `name`, if the operator of `kid` signed it."""
    passed = verify(
        text,
        Kind.AGREEMENT,
        _Operators(city),
        issuer=city.entry.issuer,
        audience=region,
        now_us=_ANY_TIME_US,
    )
    if not isinstance(passed, Passed) or not isinstance(passed.claims, AgreementClaims):
        return None
    # The name in the list is the list's: a statement about another agreement is none about this.
    if passed.claims.agreement != name:
        return None
    return statement_of(passed.claims, city.entry.code, city.signers[kid])
