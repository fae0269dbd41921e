"""The region's list as it is now, for commands that have no database or must not be behind it."""

from __future__ import annotations

import time
from typing import Final

from gateway.claims import SchemeName
from gateway.clock import SECOND_US
from gateway.conformance.probe import Probe
from gateway.errors import GatewayError
from gateway.recognition.region import Region
from gateway.recognition.trust_list import ListRefused, TrustList, read_trust_list

#: Why a list is refused, and what to do; `{url}` is its address, `{region}` whom the file pins.
_WORDS: Final = {
    "key": "it is not signed by a key of the pinned file",
    "signature": "it is not signed by a key of the pinned file",
    "issuer": "it is not the list of {region}, whose keys are pinned",
    "audience": "it names another address as its own; write the address as the region does",
    "expired": "its time is over, by this machine's clock",
    "not-yet": "it is dated ahead of this machine's clock",
}


#: What was published a moment ago, each worker of a gateway takes in on its next tick.
_TICKS_S: Final = 3.0
_AGAIN_S: Final = 0.5


class ListUnreachable(GatewayError):
    """No list came; the message says from where and how that showed."""


class ListForeign(GatewayError):
    """What came is not the list of the pinned region; the message says why and what to do."""


def fetched(url: str, region: Region, *, loopback: bool) -> TrustList:
    """The list at `url`, signed by `region`; `loopback` lets cities of this machine in.

    Raises:
        ListUnreachable: there is no answer to use.
        ListForeign: it is not signed by the region, or not good now.
    """
    probe = Probe()
    try:
        answer = probe.get(url)
    finally:
        probe.close()
    if answer.status != 200:
        raise ListUnreachable(f"{url}: {answer.said}")
    try:
        return read_trust_list(
            answer.body.decode("ascii", "replace"),
            region,
            iss=region.iss,
            url=url,
            now_us=int(time.time()) * SECOND_US,
            allow_loopback_http=loopback,
        )
    except ListRefused as refused:
        why = _WORDS.get(refused.reason, "it is no region's list ({reason})")
        words = why.format(url=url, region=region.iss, reason=refused.reason)
        raise ListForeign(
            f"the list at {url} cannot be relied on: {words}. Get address and key file from the "
            "region again, by a way that you trust (on one machine: `qianjiang region url` and "
            "`qianjiang region key`)"
        ) from None


def table_here(issuer: str | None, scheme: SchemeName) -> frozenset[str] | str | None:
    """The codes of the cities in a scheme's table, as this city publishes it.

    None where it publishes none of that name, and in words why that could not be looked up.
    """
    if issuer is None:
        return "QIANJIANG_ISSUER is unset"
    url = f"{issuer}/v1/recognition/schemes/{scheme.id}/{scheme.version}"
    probe = Probe()
    try:
        answer, deadline = probe.get(url), time.monotonic() + _TICKS_S
        while answer.status == 404 and time.monotonic() < deadline:
            time.sleep(_AGAIN_S)
            answer = probe.get(url)
    finally:
        probe.close()
    if answer.status == 404:
        return None
    cities = answer.members.get("cities")
    if answer.status != 200 or not isinstance(cities, dict):
        return f"{url}: {answer.said}"
    return frozenset(cities)
