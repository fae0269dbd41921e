"""Two workers of a running city, scraped: one answer for both, whoever lives, about nobody."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway import metrics, seats
from gateway.clock import SystemClock
from gateway.counts import NO_COUNTS, Counts, Histogram
from gateway.jobs import TICK_S
from gateway.local.processes import Supervisor
from gateway.metrics import METRICS, Kind
from gateway.monitor import SERVER
from gateway.pulse import Pulse
from gateway.seats import Snapshot
from gateway.settings import as_environment
from tests.engines import Engines
from tests.gateway.http.door import Door, open_door

HOT = "/v1/scenarios/rent/eligibility"

Key = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture(scope="module")
def door(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Two workers."""
    with open_door(engines, tmp_path_factory.mktemp("door")) as opened:
        complete(opened)
        yield opened


@pytest.fixture
def mortal(engines: Engines, tmp_path: Path) -> Iterator[Door]:
    """Two workers of a test's own, one of which it kills."""
    with open_door(engines, tmp_path) as opened:
        complete(opened)
        yield opened


class Scraped(dict[Key, float]):
    """Every sample of one scrape, or of what lies between two."""

    def __init__(self, text: str = "# EOF\n") -> None:
        families: Any = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # bare library
        for family in families:
            for sample in family.samples:
                self[sample.name, frozenset(sample.labels.items())] = sample.value

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples of a name that have these labels."""
        wanted = set(labels.items())
        return sum(n for (key, found), n in self.items() if key == name and wanted <= found)

    def since(self, before: Scraped) -> Scraped:
        """What came in between."""
        between = Scraped()
        between.update({key: n - before.get(key, 0) for key, n in self.items()})
        return between


def scrape(door: Door) -> Scraped:
    accept = {"accept": "application/openmetrics-text"}
    answer = httpx.get(door.metrics, headers=accept, timeout=5)
    assert answer.status_code == 200
    return Scraped(answer.text)


def scraped_when(door: Door, ready: Any, seconds: float = 10) -> Scraped:
    """A scrape for which `ready` is true, within some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = scrape(door)
        except httpx.TransportError:
            found = Scraped()
        if found and ready(found):
            return found
        assert time.monotonic() < deadline, dict(found)
        time.sleep(0.05)


def complete(door: Door) -> Scraped:
    """A scrape once both workers are there."""
    return scraped_when(door, lambda found: found.total("qianjiang_processes") == 2, seconds=15)


def settled(door: Door) -> Scraped:
    """A scrape that holds all that has happened until now."""
    time.sleep(2 * TICK_S)
    return scrape(door)


def ask(door: Door, times: int, **given: str) -> list[str]:
    """So many questions, each on a connection of its own, so that both workers get some."""
    proof = {"authorization": f"Bearer {door.caller.token}", "content-type": "application/json"}
    body = door.question[:-1] + "".join(f',"{name}":"{value}"' for name, value in given.items())
    answers = [
        httpx.post(f"{door.settings.issuer}{HOT}", content=body + "}", headers=proof)
        for _ in range(times)
    ]
    return [answer.json()["outcome"] for answer in answers]


def asked(found: Scraped) -> float:
    return found.total("qianjiang_requests_total", route="eligibility", status="200")


def per_worker(door: Door) -> list[float]:
    """How many questions each worker has answered, by what it wrote itself."""
    folder = seats.folder_of(door.settings.metrics_host, door.settings.metrics_port)
    key = ("requests", "eligibility", "200")
    seated = [each for each in seats.read_all(folder) if each.process == SERVER]
    return [each.series.get(key, [0])[0] for each in seated]


def listener_of(door: Door) -> int:
    """The worker that listens on the metrics port."""
    local = f"0100007F:{door.settings.metrics_port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[1] == local and row[3] == "0A"}
    for worker in door.workers:
        held = {os.readlink(each) for each in Path(f"/proc/{worker}/fd").iterdir()}
        if held & inodes:
            return worker
    raise AssertionError("nobody listens")


def test_whichever_worker_answered_the_totals_are_what_was_asked(door: Door) -> None:
    before, workers = settled(door), per_worker(door)
    outcomes = ask(door, 60)
    found = settled(door).since(before)
    assert asked(found) == 60
    decisions = {
        outcome: found.total("qianjiang_decisions_total", scenario="rent", outcome=outcome)
        for outcome in ("eligible", "standard_path", "cannot_assess")
    }
    assert decisions == {
        outcome: outcomes.count(outcome)
        for outcome in ("eligible", "standard_path", "cannot_assess")
    }
    assert found.total("qianjiang_decisions_total", party_kind="merchant") == 60
    assert found.total("qianjiang_batch_size_sum", queue="commit") == 60
    assert found.total("qianjiang_commit_seconds_count", lane="batch") <= 60
    assert found.total("qianjiang_request_seconds_count", route="eligibility") == 60
    assert found.total("qianjiang_standing_reads_total") == 60
    assert found.total("qianjiang_token_checks_total") == 60
    assert found.total("qianjiang_process_cpu_seconds_total") > 0
    now = complete(door)
    assert now.total("qianjiang_process_resident_memory_bytes") > 40e6
    assert now.total("qianjiang_token_checks_total", result="verified") == 2
    shares = [later - n for later, n in zip(per_worker(door), workers, strict=True)]
    assert sum(shares) == 60
    assert all(shares), "each worker answered some of them"


def test_when_the_listening_worker_is_killed_another_listens_and_no_total_falls(
    mortal: Door,
) -> None:
    ask(mortal, 40)
    before = settled(mortal)
    assert asked(before) == 40
    first = listener_of(mortal)
    os.kill(first, signal.SIGKILL)
    after = scraped_when(mortal, lambda _: True, seconds=5)
    assert listener_of(mortal) != first
    fallen = {
        key: (n, after.get(key))
        for key, n in before.items()
        if key[0].endswith(("_total", "_bucket", "_sum", "_count")) and after.get(key, -1) < n
    }
    assert fallen == {}
    # The newcomer takes the dead one's seat, and goes on from its numbers.
    complete(mortal)
    ask(mortal, 20)
    assert asked(settled(mortal)) == 60
    assert len(per_worker(mortal)) == 2


def test_the_background_process_shows_its_jobs_at_the_same_address(
    door: Door, tmp_path: Path
) -> None:
    before = settled(door)
    with Supervisor(tmp_path) as processes:
        processes.start(
            "worker",
            [sys.executable, "-m", "gateway.cli", "worker"],
            environment=as_environment(door.settings),
            ready=lambda: True,
        )

        def runs(found: Scraped) -> float:
            return found.total("qianjiang_jobs_total", job="relay", result="done")

        def ticks(found: Scraped) -> float:
            """The server's own, which are counted as well."""
            return found.since(before).total("qianjiang_jobs_total", job="refresh", result="done")

        found = scraped_when(door, lambda found: runs(found) >= 2 and ticks(found) >= 2, seconds=20)
        assert found.total("qianjiang_processes", process="worker") == 1
        assert found.total("qianjiang_processes", process="server") == 2
    # It ended in order: it wrote a last time, and is not counted among the living.
    gone = scraped_when(
        door, lambda found: not found.total("qianjiang_processes", process="worker")
    )
    assert runs(gone) >= runs(found)


def test_no_metric_tells_who_asked_or_about_whom(door: Door) -> None:
    told = {"staff": "canary-staff", "reference": "canary-case", "request_id": "canary-request"}
    before = settled(door)
    ask(door, 2, **told)
    assert asked(settled(door).since(before)) == 2
    caller, visit = door.caller, door.visit
    secrets = {*told.values(), caller.token, caller.subject, caller.name, "rent-a-bike"}
    secrets |= {str(visit.citizen), visit.citizen.hex, visit.cookie, visit.csrf}
    for accept in ("application/openmetrics-text", "text/plain"):
        text = httpx.get(door.metrics, headers={"accept": accept}).text
        assert {secret for secret in secrets if secret in text} == set()
        # What a label may say: words, statuses, ends of intervals. No identifier fits.
        values = set(re.findall(r'="([^"]*)"', text))
        assert [value for value in values if not re.fullmatch(r"[a-z_-]{2,20}|\d{3}", value)] == (
            [value for value in values if re.fullmatch(r"\d{1,3}\.\d{1,4}|\+Inf", value)]
        )
        assert {"rent", "merchant", "eligible"} <= values, "the control"


def test_the_public_port_shows_no_metrics(door: Door) -> None:
    headers = {"authorization": f"Bearer {door.caller.token}"}
    for given in ({}, headers):
        answer = httpx.get(f"{door.settings.issuer}/metrics", headers=given)
        assert answer.status_code == 404
        assert "qianjiang_" not in answer.text


def test_a_tick_is_short_enough_for_a_dead_process_to_be_noticed() -> None:
    assert 2 * TICK_S < metrics.LIVING_S


# ------------------------------------------------------------------ the list of metrics


def test_what_is_counted_is_what_is_described() -> None:
    counts = Counts()
    Pulse(counts, "server", SystemClock())
    counted = set(Counts.__slots__) - {*NO_COUNTS}
    described = {each.name: each for each in METRICS}
    assert len(described) == len(METRICS)
    kinds = {Kind.COUNTER, Kind.HISTOGRAM}
    assert {each.name for each in METRICS if each.kind in kinds} == counted
    for name in counted:
        held = getattr(counts, name)
        made = held["x",] if hasattr(held, "_bounds") else 0
        assert isinstance(made, Histogram) == (described[name].kind is Kind.HISTOGRAM), name
        if isinstance(made, Histogram):
            assert made.bounds == described[name].bounds


def test_names_follow_prometheus_conventions() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", metric.name)
        assert metric.exposed.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert not re.search(r"_(ms|us|minutes|kb|mb|percent)\b", metric.exposed)
        assert metric.meaning


def test_what_another_version_counted_is_left_out() -> None:
    strange = Snapshot("server", 0.0, {("retired",): [1], ("decisions", "rent"): [2]}, {}, [])
    text = metrics.text([strange], 0.0, open_metrics=True).decode()
    assert "retired" not in text.replace("decisions_retried", "")
    assert "qianjiang_decisions_total{" not in text


def test_gauges_are_of_the_living_and_counters_of_all() -> None:
    def seat(at: float, memory: float, pause: float) -> Snapshot:
        gauges: dict[tuple[str, ...], float] = {
            ("process_resident_memory_bytes", "server"): memory,
            ("gc_pause_max_seconds", "server"): pause,
        }
        return Snapshot("server", at, {("outcomes_unknown",): [1]}, gauges, [])

    seen = [seat(100.0, 10, 0.5), seat(99.0, 5, 0.2), seat(90.0, 1000, 9.0)]
    found = Scraped(metrics.text(seen, 101.0, open_metrics=True).decode())
    assert found.total("qianjiang_processes", process="server") == 2
    assert found.total("qianjiang_process_resident_memory_bytes") == 15
    assert found.total("qianjiang_gc_pause_max_seconds") == 0.5
    assert found.total("qianjiang_outcomes_unknown_total") == 3
