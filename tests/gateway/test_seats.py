"""Counts outlive the process that counted them, are added up once, and pile up nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import seats
from gateway.seats import EMPTY, Seat, SeatsRefused, Snapshot

#: Another process: takes a seat, counts to the number it is given, says so, and waits.
PROCESS = """
import sys, time
from pathlib import Path
from gateway import seats
seat = seats.take(Path(sys.argv[1]))
found = seat.found.series.get(("n",), [0])[0]
seat.write(seats.Snapshot("server", time.monotonic(), {("n",): [found + int(sys.argv[2])]}, {}, []))
print("seated", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an address, in a private place of this test's own."""
    base = tmp_path / "seats"
    base.mkdir(mode=0o700)
    return base / "127.0.0.1-8702"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this user's folders would be made."""
    monkeypatch.setattr(seats, "_MEMORY", tmp_path)
    return tmp_path / f"qianjiang-metrics-{os.geteuid()}"


def taken(folder: Path) -> Seat:
    seat = seats.take(folder)
    assert seat is not None
    return seat


def write(seat: Seat, n: float) -> None:
    seat.write(Snapshot("server", 1.0, {("n",): [n]}, {}, []))


def total(folder: Path) -> float:
    return sum(each.series["n",][0] for each in seats.read_all(folder))


class Other:
    """Another process with a seat."""

    def __init__(self, folder: Path, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(folder), str(count)], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"seated\n"

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=10)


@pytest.fixture
def others(folder: Path) -> Iterator[list[Other]]:
    """Two other processes, which counted 10 and 20."""
    started = [Other(folder, 10), Other(folder, 20)]
    yield started
    for other in started:
        other.kill()


def test_what_a_killed_process_counted_stays_and_its_seat_is_taken_on(
    folder: Path, others: list[Other]
) -> None:
    assert total(folder) == 30
    others[0].kill()
    assert total(folder) == 30
    heir = taken(folder)
    assert heir.found.series == {("n",): [10]}
    write(heir, 15)
    assert total(folder) == 35
    assert len(list(folder.glob("*.lock"))) == 2
    heir.leave()


def test_a_seat_whose_process_lives_is_nobody_elses(folder: Path, others: list[Other]) -> None:
    third = taken(folder)
    assert third.found == EMPTY
    assert len(list(folder.glob("*.lock"))) == 3
    third.leave()


@given(
    st.lists(st.tuples(st.sampled_from(["come", "count", "go"]), st.integers(0, 3)), max_size=30)
)
def test_whoever_comes_and_goes_nothing_is_lost_or_counted_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("seats") / "address"
    folder.parent.chmod(0o700)
    seated: dict[int, tuple[Seat, float]] = {}
    events, together = 0, 0
    for step, who in steps:
        if step == "come" and who not in seated:
            seat = taken(folder)
            seated[who] = seat, seat.found.series.get(("n",), [0])[0]
        elif step == "count" and who in seated:
            seat, n = seated[who]
            seated[who] = seat, n + 1
            write(seat, n + 1)
            events += 1
        elif step == "go" and who in seated:
            seated.pop(who)[0].leave()
        together = max(together, len(seated))
        assert total(folder) == events
        assert len(list(folder.glob("*.lock"))) == together
    for seat, _ in seated.values():
        seat.leave()


def test_a_torn_or_foreign_record_counts_for_nothing(folder: Path) -> None:
    seat = taken(folder)
    write(seat, 5)
    whole = (folder / "0").read_bytes()
    seat.leave()
    for damaged in (b"", whole[:-1], whole + b"x", b"\xc1", b"\x95\x00\x00\x00\x00\x00"):
        (folder / "0").write_bytes(damaged)
        assert seats.read_all(folder) == []
        heir = taken(folder)
        assert heir.found == EMPTY
        heir.leave()


def test_a_folder_that_vanished_is_said_so(folder: Path) -> None:
    seat = taken(folder)
    for path in (*folder.iterdir(),):
        path.unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        write(seat, 1)
    seat.leave()


def test_only_deserted_folders_of_other_addresses_are_swept(folder: Path) -> None:
    deserted, occupied = folder.with_name("a-1"), folder.with_name("b-2")
    left = taken(deserted)
    write(left, 1)
    left.leave()
    sitting = taken(occupied)
    assert not deserted.exists(), "the newcomer at the one address swept the other"
    write(sitting, 2)
    own = taken(folder)
    write(own, 3)
    own.leave()
    again = taken(folder)
    assert again.found.series == {("n",): [3]}, "its own address goes on"
    assert total(occupied) == 2
    again.leave()
    sitting.leave()


def test_one_looks_for_a_seat_at_a_time(folder: Path) -> None:
    with seats._alone(folder.parent) as alone:
        assert alone
        assert seats.take(folder) is None
    taken(folder).leave()


def test_seats_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "SEATS_MAX", 2)
    held = [taken(folder), taken(folder)]
    with pytest.raises(SeatsRefused):
        seats.take(folder)
    for seat in held:
        seat.leave()


def test_nobody_elses_folder_is_used(home: Path) -> None:
    elsewhere = home.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    makers: list[Callable[[], None]] = [
        lambda: home.symlink_to(elsewhere),
        lambda: home.mkdir(mode=0o755),
        home.touch,
    ]
    for make in makers:
        make()
        with pytest.raises(SeatsRefused):
            seats.folder_of("127.0.0.1", 8702)
        home.rmdir() if home.is_dir() and not home.is_symlink() else home.unlink()
    assert seats.folder_of("127.0.0.1", 8702).parent == home
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_lock_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "0.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        seats.take(folder)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "../../etc", "a/b", "..", ""])
def test_every_address_has_a_folder_of_its_own_inside(host: str, home: Path) -> None:
    assert seats.folder_of(host, 1).parent == home
    assert seats.folder_of(host, 1) != seats.folder_of(host, 2)
