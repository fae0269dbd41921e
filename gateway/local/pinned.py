"""The region that a city of this machine pins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from gateway.recognition.region import load_region
from gateway.recognition.trust_list import ListRefused, read_kept
from gateway.store import trust_list as rows


class Trust(msgspec.Struct, frozen=True):
    """Where a city finds the region's trust list, and the file of the keys that may sign it."""

    url: str
    keys: Path


async def forget_foreign(connection: asyncpg.Connection[Any], trust: Trust) -> None:
    """Forget the list that is kept, where the pinned region did not sign it.

    A region of this machine is another one once it has moved to another address or was begun anew,
    as with every run at free ports: its former list says nothing, and its former serials neither.
    """
    kept, region = await rows.kept(connection), load_region(trust.keys)
    if kept is None:
        return
    try:
        read_kept(kept[1], region, iss=region.iss, url=trust.url, allow_loopback_http=True)
    except ListRefused:
        await rows.forget(connection)
