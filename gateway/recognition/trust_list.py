"""The region's list of cities: read, with what two of its entries say together.

Pure. A list is good or refused whole; within a good one a bad city or agreement is left out with
its reason and the others stay.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from gateway.claims import RULES, Kind, Seconds, TrustListClaims
from gateway.clock import SECOND_US
from gateway.errors import GatewayError
from gateway.jose import Keys, Refused, verify
from gateway.jwk import unb64url
from gateway.recognition.entries import LeftOut, Memory
from gateway.recognition.entry import City

#: What is said about one agreement over all its years.
STATEMENTS_MAX: Final = 1024

#: For so long a list serves: a minute, less two clocks (10 s; docs/protocol/recognition.md 3.3).
RELIED_US: Final = 50 * SECOND_US

#: How large a list may be, in bytes as it is fetched.
MAX_BYTES: Final = RULES[Kind.TRUST_LIST].chars


class ListRefused(GatewayError):
    """A list is not one to rely on; `reason` is one word, for records."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the list of cities is refused: {reason}")
        self.reason = reason


class TrustList(msgspec.Struct, frozen=True):
    """What a good list says."""

    iss: str
    serial: int
    issued_us: int
    expires_us: int
    content: bytes  # SHA-256 of cities and agreements as written; neither serial nor times
    cities: dict[str, City]  # by GB/T 2260 code
    agreements: dict[str, tuple[str, ...]]  # id → statements, as compact JWS
    left_out: tuple[LeftOut, ...]

    def until_us(self, began_us: int) -> int:
        """Until when it serves one who began to fetch it then (µs): the earlier instant counts,
        for the region's clock may be ahead, and what was fetched may have been signed before."""
        return min(self.expires_us, min(self.issued_us, began_us) + RELIED_US)


class _Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement of the list. Its statements say themselves what they are about."""

    id: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")]
    statements: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=STATEMENTS_MAX)]


class _Issued(msgspec.Struct, frozen=True):
    iat: Seconds


_decode_issued = msgspec.json.Decoder(_Issued, strict=True).decode
_decode_agreement = msgspec.json.Decoder(_Agreement, strict=True).decode


def read_trust_list(
    token: str,
    keys: Keys,
    *,
    iss: str,
    url: str,
    now_us: int,
    memory: Memory | None = None,
    allow_loopback_http: bool = False,
) -> TrustList:
    """The list of the region `iss` that was fetched from `url`, as of `now_us`.

    Raises:
        ListRefused: not signed by the region's key, for another address, expired or malformed.
    """
    passed = verify(token, Kind.TRUST_LIST, keys, issuer=iss, audience=url, now_us=now_us)
    if isinstance(passed, Refused):
        raise ListRefused(passed.reason.value)
    claims = passed.claims
    assert isinstance(claims, TrustListClaims)
    entries = map(bytes, claims.cities)
    cities, without = (memory or Memory()).read(entries, allow_loopback_http)
    agreements, unread = _agreements(claims.agreements)
    return TrustList(
        iss=iss,
        serial=claims.serial,
        issued_us=claims.iat * SECOND_US,
        expires_us=claims.exp * SECOND_US,
        content=content_of(claims),
        cities=cities,
        agreements=agreements,
        left_out=(*without, *unread),
    )


def read_kept(
    token: str,
    keys: Keys,
    *,
    iss: str,
    url: str,
    memory: Memory | None = None,
    allow_loopback_http: bool = False,
) -> TrustList:
    """A list that was found good before and kept: everything is checked again but its times, which
    have moved on since it last said something new.

    Raises:
        ListRefused: as for `read_trust_list`.
    """
    try:
        issued_s = _decode_issued(unb64url(token.split(".")[1])).iat
    except (ValueError, IndexError, msgspec.DecodeError, RecursionError):
        raise ListRefused("shape") from None
    return read_trust_list(
        token,
        keys,
        iss=iss,
        url=url,
        now_us=issued_s * SECOND_US,
        memory=memory,
        allow_loopback_http=allow_loopback_http,
    )


def content_of(claims: TrustListClaims) -> bytes:
    """What a serial stands for: SHA-256 of the cities and agreements as they are written."""
    return hashlib.sha256(msgspec.json.encode((claims.cities, claims.agreements))).digest()


def _agreements(
    listed: Iterable[msgspec.Raw],
) -> tuple[dict[str, tuple[str, ...]], list[LeftOut]]:
    found: list[_Agreement] = []
    left_out: list[LeftOut] = []
    for raw in listed:
        try:
            found.append(_decode_agreement(raw))
        except msgspec.DecodeError as fault:
            left_out.append(LeftOut("agreement", "", "entry", f"not an agreement: {fault}"))
    ids = Counter(each.id for each in found)
    left_out += [
        LeftOut("agreement", name, "id-twice", "two agreements have this id")
        for name, times in ids.items()
        if times > 1
    ]
    return {each.id: each.statements for each in found if ids[each.id] == 1}, left_out
