"""The gateway as the judge of the vectors: its guard before the documents of a case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.jose import Passed, verify
from gateway.jwk import Key, parse_jwk
from gateway.recognition.entry import City, parse_entry


class Listed:
    """The cities of a case as the guard's `Keys`: by issuer, and by code where they are clients."""

    def __init__(self, entries: Iterable[Any]) -> None:
        read = [parse_entry(msgspec.json.encode(each)) for each in entries]
        self.by_code: dict[str, City] = {city.entry.code: city for city in read}
        self.by_issuer = {city.entry.issuer: city for city in read}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        if kind is Kind.ASSERTION:
            city = self.by_code.get(issuer)
            return city.keys.get(("client", kid)) if city else None
        city = self.by_issuer.get(issuer)
        return city.keys.get(("grant", kid)) if city and kind is Kind.RECOGNITION else None


class Published:
    """The keys that one issuer publishes for one kind of document."""

    def __init__(self, kind: Kind, issuer: str, jwks: Iterable[Any]) -> None:
        self._for = kind, issuer
        keys = [parse_jwk(msgspec.json.encode(each)) for each in jwks]
        self._keys = {key.kid: key for key in keys}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        return self._keys.get(kid) if (kind, issuer) == self._for else None


def document(given: dict[str, Any], name: str, kind: Kind, keys: Any, **parties: Any) -> Any:
    """What the guard says of a signed document of a case: its claims, or why it is refused."""
    now_us = given["now"] * SECOND_US
    answer = verify(given[name], kind, keys, now_us=now_us, **parties)
    return answer.claims if isinstance(answer, Passed) else answer
