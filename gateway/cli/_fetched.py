"""The region's list as it is now, for commands that have no database or must not be behind it."""

from __future__ import annotations

import time
from typing import Final

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
