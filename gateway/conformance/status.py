"""A city's status list: where its words about citizens can be seen to end."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.conformance.endpoints import CLOCKS_S
from gateway.conformance.probe import Answer, Probe
from gateway.conformance.report import Report
from gateway.edge.status_lists import MEDIA_TYPE
from gateway.jose import Passed, Reason, verify
from gateway.jwk import Key, unb64url
from gateway.recognition.entry import City
from gateway.recognition.status_bits import BitsRefused, raw_from

#: Section 8: bits at most so old, life, pace, and the number of entries.
OLD_S, LIFE_S, TTL_S = 5, 60, 30
ENTRIES: Final = (1 << 17, 1 << 20)

_SIGNED = ("status.signed", "status.times", "status.fresh", "status.size")
#: Reasons that have checks of their own.
_OTHERS: Final = frozenset({Reason.CLAIMS, Reason.LIFETIME, Reason.EXPIRED, Reason.NOT_YET})


class _Bits(msgspec.Struct, frozen=True):
    bits: int
    lst: str


class _List(msgspec.Struct, frozen=True):
    iat: int
    exp: int
    ttl: int
    status_list: _Bits


class StatusKeys(msgspec.Struct, frozen=True):
    """A city's keys for status lists, for the guard."""

    city: City

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key of a kid."""
        return self.city.keys.get(("status", kid)) if kind is Kind.STATUS_LIST else None


def check_status(probe: Probe, report: Report, city: City, uri: str, *, named: bool) -> None:
    """The list at an address. Where nobody `named` it, it may not be there: before the first grant
    there is nothing to list."""
    answer = probe.get(uri, MEDIA_TYPE)
    if answer.status == 404 and not named:
        why = f"no list at {uri}: none before the first grant; name one by --status-list"
        for name in ("status.served", *_SIGNED):
            report.skip(name, why)
        return
    if answer.is_none:
        for name in ("status.served", *_SIGNED):
            report.said(name, answer)
        return
    served = answer.status == 200 and answer.media_type == MEDIA_TYPE
    fault = f"{answer.said} as {answer.media_type or 'nothing'}"
    report.judge("status.served", None if served else fault, uri)
    if answer.status == 200:
        _check_token(report, city, uri, answer)


def _check_token(report: Report, city: City, uri: str, answer: Answer) -> None:
    token = answer.body.decode("ascii", "replace")
    now_s = answer.began_s + answer.took_s
    passed = verify(
        token,
        Kind.STATUS_LIST,
        StatusKeys(city),
        issuer=city.entry.issuer,
        audience=uri,
        now_us=int(now_s * SECOND_US),
    )
    if isinstance(passed, Passed):
        report.judge("status.signed", None, passed.kid)
    elif passed.reason not in _OTHERS:
        report.judge("status.signed", f"refused: {passed.reason.value}")
    listed = _read(token)
    if listed is None:
        report.judge("status.times", "not the claims of a status list")
        return
    report.judge("status.times", _times(listed, now_s), f"ttl {listed.ttl} s")
    age_s = now_s - listed.iat
    old = age_s > OLD_S + CLOCKS_S
    report.judge(
        "status.fresh", f"{age_s:.0f} s old" if old else None, f"{max(age_s, 0):.0f} s old"
    )
    _check_size(report, listed)


def _times(listed: _List, now_s: float) -> str | None:
    if listed.iat > now_s + CLOCKS_S:
        return f"iat is {listed.iat - now_s:.0f} s ahead"
    if not 0 < listed.exp - listed.iat <= LIFE_S:
        return f"exp is {listed.exp - listed.iat} s after iat"
    return None if 1 <= listed.ttl <= TTL_S else f"ttl is {listed.ttl} s"


def _check_size(report: Report, listed: _List) -> None:
    try:
        entries = len(raw_from(listed.status_list.lst)) * 8
    except BitsRefused as refused:
        report.judge("status.size", str(refused))
        return
    least, most = ENTRIES
    fault = None if least <= entries <= most else f"{entries:,} entries"
    if listed.status_list.bits != 1:
        fault = f"{listed.status_list.bits} bits an entry"
    report.judge("status.size", fault, f"{entries:,} entries")


def _read(token: str) -> _List | None:
    try:
        return msgspec.json.decode(unb64url(token.split(".")[1]), type=_List)
    except (ValueError, IndexError, RecursionError):
        return None
