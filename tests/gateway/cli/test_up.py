"""What `qianjiang up` refuses before it starts anything, each with a remedy and no traceback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.local import upfile
from gateway.local.places import LOCK, hold
from gateway.local.upfile import UpFile
from tests.gateway.conformance.town import Country
from tests.gateway.recognition.region import TestRegion


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


def test_a_city_that_is_up_already_is_said_to_be(tmp_path: Path) -> None:
    data = tmp_path / "up"
    data.mkdir()
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        first.listen()
        words = ["up", "--port", str(first.getsockname()[1])]
        environment = {"QIANJIANG_DATA": str(tmp_path)}

        def said() -> str:
            return CliRunner().invoke(main, words, env=environment).output

        lock = hold(data / LOCK, os.O_CREAT)
        assert "杭州 Hangzhou (330100) is coming up: use it, or end it with Ctrl-C" in said()
        here = UpFile("http://127.0.0.1:1", "", [], [], [], "")
        upfile.write(data / upfile.NAME, here)
        assert "is up already, at http://127.0.0.1:1: use it" in said()
        os.close(lock)
        assert "stop what listens there" in said(), "an up.json that was left behind says nothing"


@pytest.fixture
def country() -> Iterator[Country]:
    with Country().open() as opened:
        yield opened


def test_a_city_joins_no_region_whose_list_is_not_signed_by_the_key_it_was_given(
    country: Country, tmp_path: Path
) -> None:
    data, keys = tmp_path / "data", tmp_path / "region.json"
    data.mkdir()
    words = ["up", "--region-keys", str(keys), "--region"]
    keys.write_bytes(TestRegion().pin())
    told = refused([*words, country.region.url], data)
    assert f"--region-keys {keys}: the list at {country.region.url} cannot be relied on" in told
    assert "not signed by a key of the pinned file" in told
    assert "`qianjiang region key`" in told
    keys.write_bytes(country.region.pin().replace(b"region.example", b"other.example"))
    assert "not the list of https://other.example" in refused([*words, country.region.url], data)
    for raw, why in ((b"{}", "iss is missing"), (b"\xff", "not a file of"), (b"", "is empty")):
        keys.write_bytes(raw)
        assert why in refused([*words, country.region.url], data)
    keys.write_bytes(country.region.pin())
    for url in ("http://127.0.0.1:1/trust-list", "nonsense", "http://[", country.town.issuer):
        assert f"--region {url}: " in refused([*words, url], data)
    bare = country.region.url.removeprefix("http://")
    assert f"--region {bare}: http:// is missing" in refused([*words, bare], data)


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
        (["--city", "320501"], "320501 is no city that is known here; known are 330100 杭州"),
        (["--cities", "330100,320501"], "320501=NAME"),
        (["--cities", "330100,"], "six digits"),
        (["--cities", ""], "six digits"),
        (["--region", "", "--region-keys", __file__], "--region-keys"),
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
