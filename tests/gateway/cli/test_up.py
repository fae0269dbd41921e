"""What `qianjiang up` refuses before it starts anything, each with a remedy and no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main


def refused(words: list[str], data: Path) -> str:
    """What a refused command says; nothing was made in the data folder."""
    done = CliRunner().invoke(main, words, env={"QIANJIANG_DATA": str(data)})
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert list(data.iterdir()) == []
    return done.output


def test_a_second_city_never_shares_the_port_of_the_first(tmp_path: Path) -> None:
    with socket.socket() as first:
        # As the server listens: the kernel itself would let another in.
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        said = refused(["up", "--port", str(port)], tmp_path)
    assert f"127.0.0.1:{port}" in said
    assert "QIANJIANG_PORT" in said


@pytest.mark.parametrize("after", [0, 2])
def test_every_address_of_the_city_is_looked_at_before_anything_starts(
    after: int, tmp_path: Path
) -> None:
    """The gateway's own, and the one that its metrics would have."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(["up", "--port", str(port - after)], tmp_path)
    assert f"127.0.0.1:{port}" in said


@pytest.mark.parametrize("host", ["127.0.0.3", "127.0.0.10"])
def test_so_are_those_of_every_other_city_and_of_the_region(host: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(["up", "--cities", "330100,330200", "--port", str(port)], tmp_path)
    assert f"{host}:{port}" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--city", "hangzhou"], "six digits"),
        (["--cities", "330100,33020"], "six digits"),
        (["--cities", "330100,330100"], "twice"),
        (["--region", "http://127.0.0.10:1/trust-list"], "belong together"),
        (["--region-keys", __file__], "belong together"),
        (
            ["--cities", "330100,330200", "--region", "http://127.0.0.10:1/trust-list"],
            "belong together",
        ),
    ],
)
def test_what_names_no_city_or_no_region_is_refused(
    words: list[str], told: str, tmp_path: Path
) -> None:
    assert told in refused(["up", *words], tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--port", "65534"],
        ["up", "--port", "-1"],
        ["up", "--workers", "0"],
        ["up", "--citizens", "-1"],
        ["demo", "--workers", "0"],
        ["demo", "--citizens", "-1"],
    ],
)
def test_numbers_that_cannot_be_are_refused_with_their_range(
    words: list[str], tmp_path: Path
) -> None:
    assert "is not in the range" in refused(words, tmp_path)
