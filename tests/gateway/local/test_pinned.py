"""A local city forgets the list of a region that is another one now, and no other list."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.local.pinned import Trust, forget_foreign
from gateway.store import trust_list as rows
from gateway.store.migrate import Connection
from tests.gateway.cli.office import Listed
from tests.gateway.recognition.region import URL, TestRegion


@pytest.mark.parametrize("other", ["", "address", "name", "key"])
async def test_a_list_that_the_pinned_region_did_not_sign_is_forgotten(
    owner: Connection, tmp_path: Path, other: str
) -> None:
    region, file = TestRegion(), tmp_path / "region.json"
    await forget_foreign(owner, Trust(URL, _pinned(file, region.pin())))
    await Listed(region, owner).publish([], {})
    raw = TestRegion().pin() if other == "key" else region.pin()
    if other == "name":
        raw = raw.replace(b"region.example", b"other.example")
    url = "https://region.example/moved" if other == "address" else URL
    await forget_foreign(owner, Trust(url, _pinned(file, raw)))
    assert (await rows.head(owner) is None) is bool(other)


def _pinned(file: Path, raw: bytes) -> Path:
    file.write_bytes(raw)
    return file
