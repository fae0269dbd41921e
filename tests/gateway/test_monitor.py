"""A process's own monitor: its counts go on, whatever becomes of it or of its folder."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway import seats
from gateway.clock import SystemClock
from gateway.counts import Counts
from gateway.local.processes import free_port
from gateway.monitor import SERVER, Monitor, monitored
from gateway.settings import Settings

HOST = "127.0.0.1"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An address of this test's own, with its folder in the test's own."""
    monkeypatch.setattr(seats, "_MEMORY", tmp_path)
    return Settings(
        issuer="https://gateway.example",
        city="330100",
        database_url="",
        valkey_url="",
        keys_file=tmp_path / "none",
        oidc_issuer="https://id.example",
        metrics_host=HOST,
        metrics_port=free_port(HOST),
    )


def monitor(settings: Settings, counts: Counts) -> Monitor:
    made = Monitor(counts, settings, SERVER, SystemClock())
    made.start()
    return made


async def unknown_shown(settings: Settings) -> float:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://{HOST}:{settings.metrics_port}/metrics")
    line = re.search(r"^qianjiang_outcomes_unknown_total (.*)$", answer.text, re.MULTILINE)
    assert line is not None
    return float(line[1])


async def test_a_folder_removed_underneath_costs_no_count(settings: Settings) -> None:
    counts = Counts()
    own = monitor(settings, counts)
    counts.unknown(3)
    await own.step()
    folder = seats.folder_of(HOST, settings.metrics_port)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    counts.unknown(4)
    await own.step()  # notices
    await own.step()  # begins another
    assert await unknown_shown(settings) == 7
    await own.close()


async def test_counts_go_on_from_one_process_to_the_next(settings: Settings) -> None:
    for number in range(3):
        counts = Counts()
        own = monitor(settings, counts)
        counts.unknown(1)
        await own.step()
        assert await unknown_shown(settings) == number + 1
        await own.close()
    assert len(seats.read_all(seats.folder_of(HOST, settings.metrics_port))) == 1


async def test_where_nothing_can_be_written_it_is_said_once_and_nothing_fails(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    base = seats.home()
    base.chmod(0o755)
    own = monitor(settings, Counts())
    for _ in range(3):
        await own.step()
    assert capsys.readouterr().out.count("metrics_unavailable") == 1
    base.chmod(0o700)
    await own.step()
    assert await unknown_shown(settings) == 0
    await own.close()


async def test_an_address_that_is_not_ours_is_said_once(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = msgspec.structs.replace(settings, metrics_host="192.0.2.1")
    own = monitor(foreign, Counts())
    for _ in range(3):
        await own.step()
    assert capsys.readouterr().out.count("metrics_unavailable") == 1
    await own.close()


async def test_without_a_port_nothing_is_measured_written_or_opened(settings: Settings) -> None:
    off = msgspec.structs.replace(settings, metrics_port=0)
    async with monitored(Counts(), off, SERVER, SystemClock()) as own:
        assert own is None
    assert not [path for path in seats._MEMORY.iterdir() if path.name.startswith("qianjiang")]


async def test_a_second_process_does_not_listen_and_is_shown_all_the_same(
    settings: Settings,
) -> None:
    first, second = Counts(), Counts()
    one, two = monitor(settings, first), monitor(settings, second)
    first.unknown(1)
    second.unknown(2)
    await one.step()
    await two.step()
    assert (one._scrape.is_open, two._scrape.is_open) == (True, False)
    assert await unknown_shown(settings) == 3
    await one.close()
    await two.step()
    assert two._scrape.is_open
    assert await unknown_shown(settings) == 3
    await two.close()
