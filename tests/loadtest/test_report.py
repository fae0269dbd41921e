"""A short session on a real city: sections, conditions, targets, and the page made of it."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from loadtest import bench
from loadtest.closed import Contender, alternate
from loadtest.generator import Plan
from loadtest.options import QUICK, Options
from loadtest.result import FOLDER, Result, Sections, read, write
from loadtest.sections import NotBuilt, pairs
from loadtest.serving import Progress
from tests.loadtest import sessions
from tests.loadtest.counterpart import Counterpart, answer

TINY = msgspec.structs.replace(
    QUICK, citizens=60, workers=1, connections=8, few_connections=8, distributions=(), weighed=200
)
ONLY = ("pairs", "memory")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The result's file of a session of two sections, and what it said meanwhile."""
    told: list[str] = []
    result = bench.run(TINY, told.append, only=ONLY, quick=True)
    path = tmp_path_factory.mktemp("session") / "result.json"
    bench.publish(result, path)
    return path, told


@pytest.mark.nightly
def test_a_session_measures_what_was_asked_for_and_records_every_answer(
    session: tuple[Path, list[str]],
) -> None:
    result = read(session[0])
    assert result.failures == {}
    assert result.sections.pairs is not None
    assert result.sections.memory is not None
    assert result.sections.peers is None
    for name, rounds in result.sections.pairs.rounds.items():
        assert len(rounds) == TINY.rounds
        for one in rounds:
            assert one.answers > 5
            assert one.wrong == 0, name
            assert one.cost.workers > 0
    recorded = result.sections.pairs.rounds[pairs.UNIFORM][0]
    assert recorded.recorded >= recorded.answers
    assert recorded.batch >= 1
    assert recorded.cost.postgres > 0
    assert [each.balanced for each in result.sections.accounts()] == [True] * 2
    assert {each.unexplained for each in result.sections.accounts()} == {0}


@pytest.mark.nightly
def test_targets_of_a_session_are_those_of_its_sections(session: tuple[Path, list[str]]) -> None:
    result = read(session[0])
    measured = {target.where for target in result.targets if target.figure is not None}
    assert measured == {"pairs", "memory", "accounts"}
    for target in result.targets:
        assert (target.met == "not measured") == (target.figure is None)


@pytest.mark.nightly
def test_a_session_says_its_conditions_and_never_where_it_ran(
    session: tuple[Path, list[str]],
) -> None:
    result, text = read(session[0]), session[0].read_text()
    known = result.conditions
    assert known is not None
    assert known.versions["Python"] == platform.python_version()
    assert known.versions["PostgreSQL"].startswith("18")
    assert known.versions["Valkey"].startswith("9")
    assert known.versions["server"].split()[1][0].isdigit()
    assert known.postgresql["synchronous_commit"] == known.postgresql["fsync"] == "on"
    assert known.partitions > 1
    assert known.machine.cores == len(os.sched_getaffinity(0))
    for place in (platform.node(), tempfile.gettempdir(), os.getcwd(), "127.0.0", "postgresql://"):
        assert place not in text


@pytest.mark.nightly
def test_a_session_says_what_it_is_doing(session: tuple[Path, list[str]]) -> None:
    told = session[1]
    assert any(line.startswith("1/2 pairs: round 1 of 1: hello · ") for line in told)
    assert any(line.startswith("2/2 memory: ") for line in told)


@pytest.mark.nightly
def test_the_page_of_a_session_holds_its_plots_and_every_target(
    session: tuple[Path, list[str]],
) -> None:
    pytest.importorskip("matplotlib", reason="not installed: matplotlib (locks/bench.txt)")
    page = session[0].with_suffix(".html").read_text("utf-8")
    assert page.count("<svg") == 3
    for target in read(session[0]).targets:
        assert target.id in page


def measuring(fault: Exception) -> Callable[[Options, Progress], None]:
    """A section that ends badly."""

    def measure(options: Options, progress: Progress) -> None:
        progress("about to fail")
        raise fault

    return measure


def test_a_section_that_fails_is_recorded_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def memory(options: Options, progress: Progress) -> object:
        return sessions.weighed()

    broken = bench.Section("pairs", measuring(RuntimeError("no place like /tmp/home")), _short)
    unbuilt = bench.Section("authzen", measuring(NotBuilt("the gateway has none")), _short)
    whole = bench.Section("memory", memory, _short)
    monkeypatch.setattr(bench, "SECTIONS", (broken, unbuilt, whole))
    monkeypatch.setattr(bench, "_conditions", lambda *_: None)
    result = bench.run(TINY, lambda _: None)
    assert result.failures == {
        "pairs": "RuntimeError: no place like …",
        "authzen": "the gateway has none",
    }
    assert result.sections.memory == sessions.weighed()
    assert next(each for each in result.targets if each.id == "5.4").met == "yes"


def _short(_: Options) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("cannot open /var/lib/x/y.log: denied", "cannot open …: denied"),
        ("connect to 127.0.0.1:5432 failed", "connect to … failed"),
        ("POST /readyz gave 503 of 3/4", "POST /readyz gave 503 of 3/4"),
        ("two\n  lines", "two lines"),
        ("", "no reason given"),
    ],
)
def test_a_reason_is_one_line_and_names_no_place(said: str, told: str) -> None:
    assert bench.reason(OSError(said)) == f"OSError: {told}"
    assert len(bench.reason(OSError("x" * 5_000))) <= 300


def test_only_a_whole_result_is_kept_with_the_published_ones(tmp_path: Path) -> None:
    result: Result = sessions.result(sessions.whole())
    assert bench.place_of(result, whole=True) == FOLDER / "2026-11-23.json"
    assert bench.place_of(result, whole=False).parent == bench.DRAFTS
    quick = msgspec.structs.replace(result, quick=True)
    assert bench.place_of(quick, whole=True).parent == bench.DRAFTS
    write(result, tmp_path / "deep" / "result.json")
    assert read(tmp_path / "deep" / "result.json") == result


def test_every_section_has_its_place_in_the_result() -> None:
    assert set(bench.NAMES) == set(Sections.__struct_fields__)
    for section in bench.SECTIONS:
        assert 0 < section.takes_s(QUICK) < section.takes_s(Options())
    assert sum(section.takes_s(Options()) for section in bench.SECTIONS) < 16 * 60
    assert sum(section.takes_s(QUICK) for section in bench.SECTIONS) < 3 * 60


@pytest.mark.parametrize("warm", [True, False])
def test_contenders_take_turns_and_a_round_that_goes_ahead_does_not_count(warm: bool) -> None:
    async def fine(line: str, body: bytes) -> bytes:
        return answer()

    told: list[str] = []
    with Counterpart(fine) as server:

        def plan() -> Plan:
            return Plan(host=server.host, port=server.port, path="/", connections=2, seconds=1)

        contenders = [
            Contender(name=name, plan=plan, spent=lambda: {"server": len(told) * 1e-3})
            for name in ("one", "other")
        ]
        options = msgspec.structs.replace(QUICK, warm=warm)
        made = alternate(contenders, options, told.append)
    ahead = ["warming up one", "warming up other"] if warm else []
    assert told == [*ahead, "round 1 of 1: one", "round 1 of 1: other"]
    assert {name: len(rounds) for name, rounds in made.items()} == {"one": 1, "other": 1}
    assert all(one.answers > 5 and one.recorded == one.batch == 0 for (one,) in made.values())


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_every_section_ends_and_every_answer_is_on_record(tmp_path: Path) -> None:
    result = bench.run(QUICK, lambda _: None, quick=True)
    assert result.failures == {}
    accounts = list(result.sections.accounts())
    assert {each.run.split(" ")[0].rstrip(":,") for each in accounts} == {
        *("pairs", "peers", "open", "authzen", "overload")
    }
    assert [each for each in accounts if not each.balanced] == []
    bench.publish(result, tmp_path / "result.json")
    assert read(tmp_path / "result.json") == result
