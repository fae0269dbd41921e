"""Streams of a server's own processes: counted about nobody, and no hindrance when it ends."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.sessions import cookie_name
from tests.engines import Engines
from tests.gateway.edge.serving import STREAM
from tests.gateway.http.door import Door, open_door
from tests.gateway.local.test_processes import within


@pytest.fixture
def mortal(engines: Engines, tmp_path: Path) -> Iterator[Door]:
    """A gateway of a test's own, which it ends."""
    with open_door(engines, tmp_path) as opened:
        yield opened


def test_a_server_that_ends_ends_its_streams_at_once(mortal: Door) -> None:
    cookie = {cookie_name(mortal.settings, "session"): mortal.visit.cookie}
    with (
        httpx.Client(base_url=mortal.settings.issuer, cookies=cookie, timeout=10) as client,
        client.stream("GET", STREAM) as answer,
    ):
        pieces = answer.iter_bytes()
        assert next(pieces).startswith(b"retry: ")
        assert within(5, lambda: "qianjiang_lookup_streams" in httpx.get(mortal.metrics).text)
        assert within(5, lambda: _open(mortal) == 1)
        before = mortal.workers
        began = time.monotonic()
        os.kill(mortal.root, signal.SIGTERM)
        # The end in good form, or the client would raise.
        assert b"over" not in b"".join(pieces)
        assert time.monotonic() - began < 2
    assert within(5, lambda: not any(map(_lives, before)))
    assert time.monotonic() - began < 5


def _open(door: Door) -> float:
    """Streams that are shown as open."""
    shown = re.findall(r"^qianjiang_lookup_streams{.*server.*} (.+)$", httpx.get(door.metrics).text,
                       re.MULTILINE)  # fmt: skip
    return float(shown[0]) if shown else 0.0


def _lives(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2][:3]
    except FileNotFoundError:
        return False
