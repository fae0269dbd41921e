"""The entries of the region's list beside each other: what two of them share condemns both.

Pure. A list is read anew every few seconds and is nearly always the same, so a `Memory` keeps what
each entry was read as the last time, and nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from gateway.jwk import JwkRefused, parse_jwk, thumbprint
from gateway.recognition.entry import City, EntryRefused, parse_entry

Part = Literal["city", "agreement"]


class LeftOut(msgspec.Struct, frozen=True):
    """A part of a good list that nobody may rely on, and why: one word, and a sentence."""

    part: Part
    name: str  # code or id, as far as it can be read
    reason: str
    words: str


class _Read(msgspec.Struct, frozen=True):
    """An entry as read by itself: a city, or why it is none; and what it may not share."""

    code: str
    issuer: str
    thumbprints: tuple[str, ...]
    city: City | None
    words: str = ""


class Memory:
    """Reads the entries of a list, and remembers what those of the last list were read as."""

    def __init__(self) -> None:
        self.entries: dict[bytes, _Read] = {}

    def read(
        self, raw: Iterable[bytes], allow_loopback_http: bool = False
    ) -> tuple[dict[str, City], list[LeftOut]]:
        """The cities by code that share nothing with another entry, and why others are left out."""
        known, listed = self.entries, list(raw)
        self.entries = {}
        for each in listed:
            self.entries[each] = known.get(each) or _read(each, allow_loopback_http)
        return _alone([self.entries[each] for each in listed])


def _read(raw: bytes, allow_loopback_http: bool) -> _Read:
    try:
        city = parse_entry(raw, allow_loopback_http=allow_loopback_http)
    except EntryRefused as fault:
        return _read_loosely(raw, str(fault))
    keys = *city.keys.values(), *city.operators.values()
    prints = tuple(thumbprint(key.public) for key in keys)
    return _Read(city.entry.code, city.entry.issuer, prints, city)


def _read_loosely(raw: bytes, words: str) -> _Read:
    """A bad entry: what it shares with a good one is bad in that one too."""
    tree = msgspec.json.decode(raw)
    members: Mapping[str, Any] = tree if isinstance(tree, dict) else {}
    listed = [
        each.get("jwk")
        for name in ("keys", "operators")
        if isinstance(each_of := members.get(name), list)
        for each in each_of
        if isinstance(each, dict)
    ]
    prints = tuple(found for jwk in listed if (found := _thumbprint(jwk)) is not None)
    code, issuer = (members.get(name) for name in ("code", "issuer"))
    return _Read(
        code if isinstance(code, str) else "",
        issuer if isinstance(issuer, str) else "",
        prints,
        None,
        words,
    )


def _thumbprint(jwk: Any) -> str | None:
    try:
        return thumbprint(parse_jwk(msgspec.json.encode(jwk)).public)
    except JwkRefused:
        return None


def _alone(read: Sequence[_Read]) -> tuple[dict[str, City], list[LeftOut]]:
    codes = Counter(each.code for each in read)
    issuers = Counter(each.issuer for each in read)
    # A key that two hold is a key that neither guards; one with two purposes lets what was signed
    # for the one be shown for the other.
    prints = Counter(each for entry in read for each in entry.thumbprints)
    cities: dict[str, City] = {}
    left_out: list[LeftOut] = []
    for each in read:
        if each.city is None:
            reason, words = "entry", each.words
        elif codes[each.code] > 1:
            reason, words = "code-twice", "two entries have this code"
        elif issuers[each.issuer] > 1:
            reason, words = "issuer-twice", "two entries have this issuer"
        elif any(prints[found] > 1 for found in each.thumbprints):
            reason, words = "shared-key", "one of its keys stands twice in the list"
        else:
            cities[each.code] = each.city
            continue
        left_out.append(LeftOut("city", each.code[:6], reason, words))
    return cities, left_out
