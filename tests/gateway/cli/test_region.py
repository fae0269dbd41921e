"""`qianjiang region`: a list is begun, cities come and go, statements are filed."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.clock import SECOND_US, SystemClock
from gateway.jwk import parse_jwks
from gateway.local import alliance
from gateway.local.atlas import HANGZHOU, NINGBO
from tests.gateway.local.test_region import ADDRESS, Place, address_of


def said(folder: Path, *words: str, code: int = 0) -> str:
    """What a command says."""
    done = CliRunner().invoke(main, ["region", "--folder", str(folder), *words])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Cities whose keys are made, and the region that they are to join."""
    return Place(tmp_path)


def test_a_region_from_its_beginning_to_an_expulsion(place: Place, tmp_path: Path) -> None:
    region = tmp_path / "mine"
    assert "/trust-list" in said(region, "init", "--url", "http://127.0.0.10:1")
    assert "never replaced" in said(region, "init", code=1)
    assert said(region, "url") == "http://127.0.0.10:1/trust-list\n"
    assert len(parse_jwks(said(region, "key").encode())) == 1
    for city in (HANGZHOU, NINGBO):
        entry = tmp_path / f"{city.code}.json"
        entry.write_bytes(place.entry(city))
        assert city.code in said(region, "admit", str(entry))
    files = []
    claims = alliance.statement("http://127.0.0.10:1", "sign", HANGZHOU, NINGBO)
    for city in (HANGZHOU, NINGBO):
        now_s = SystemClock().now_us() // SECOND_US
        for number, compact in enumerate(
            alliance.said(tmp_path / city.slug, address_of(city), claims, now_s)
        ):
            files.append(tmp_path / f"{city.code}-{number}.jws")
            files[-1].write_text(compact + "\n")
    assert said(region, "accept", *map(str, files)).count("filed: sign") == 4
    shown = said(region, "show")
    for word in ("330100", "http://127.0.0.3:8700", "示例操作员1", "330200 sign ×2"):
        assert word in shown
    assert "off the list" in said(region, "expel", "330200")
    shown = said(region, "show")
    assert "330200" not in shown
    assert "sign" not in shown


def test_what_cannot_be_is_refused_in_words(place: Place, tmp_path: Path) -> None:
    for url in ("nonsense", "http://127.0.0.10:70000", "http://127.0.0.10:1/x", "HTTP://x", ""):
        assert "no address of a region" in said(tmp_path / "mine", "init", "--url", url, code=1)
    said(tmp_path / "mine", "init")
    bad = tmp_path / "bad"
    bad.write_bytes(msgspec.json.encode({"code": "330100"}))
    for raw in (bad.read_bytes(), b"\xff\xfe", "é.é.é".encode(), b"\0" * 99, b"[" * 9999):
        bad.write_bytes(raw)
        assert f"{bad}: not an entry" in said(tmp_path / "mine", "admit", str(bad), code=1)
        assert f"{bad}: not a statement" in said(tmp_path / "mine", "accept", str(bad), code=1)
    for raw, why in ((b"", "is empty"), (b"x" * 300_000, "is larger than 256 KiB")):
        bad.write_bytes(raw)
        for act in ("admit", "accept"):
            assert f"{bad} {why}" in said(tmp_path / "mine", act, str(bad), code=1)
    assert "not on the list" in said(tmp_path / "mine", "expel", "330100", code=1)
    (tmp_path / "mine" / "region.json").write_bytes(b"\xff")
    assert "is not whole" in said(tmp_path / "mine", "show", code=1)
    for words in (("key",), ("url",), ("show",), ("serve",)):
        assert "region init" in said(tmp_path / "none", *words, code=1)


def test_a_wrong_code_takes_no_city_over_and_what_replaces_one_says_the_way_back(
    place: Place, tmp_path: Path
) -> None:
    region, entry = tmp_path / "mine", tmp_path / "entry.json"
    said(region, "init")
    entry.write_bytes(place.entry(HANGZHOU))
    said(region, "admit", str(entry))
    entry.write_bytes(place.entry(NINGBO, code=HANGZHOU.code))
    assert f"{entry}: 330100 on the list is 杭州" in said(region, "admit", str(entry), code=1)
    assert address_of(NINGBO) not in said(region, "show")
    told = said(region, "admit", "--replace", str(entry))
    assert address_of(NINGBO) in said(region, "show")
    *_, back = told.splitlines()
    words = shlex.split(back.partition(": qianjiang ")[2])
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert address_of(HANGZHOU) in said(region, "show")


def test_a_bad_statement_keeps_no_good_one_out_and_a_statement_is_no_entry(
    place: Place, tmp_path: Path
) -> None:
    region = tmp_path / "mine"
    said(region, "init", "--url", ADDRESS)
    for city in (HANGZHOU, NINGBO):
        (entry := tmp_path / "entry.json").write_bytes(place.entry(city))
        said(region, "admit", str(entry))
    claims = alliance.statement(ADDRESS, "sign", HANGZHOU, NINGBO)
    now_s = SystemClock().now_us() // SECOND_US
    one, two = alliance.said(tmp_path / HANGZHOU.slug, address_of(HANGZHOU), claims, now_s)
    files = [tmp_path / f"{number}.jws" for number in range(3)]
    for file, text in zip(files, (one, "nonsense", two), strict=True):
        file.write_text(text)
    told = said(region, "accept", *map(str, files), code=1)
    assert told.count("filed: sign") == 2
    assert f"{files[1]}: not a statement" in told
    assert "1 of 3 not filed; the other 2 are" in told
    assert "330100 sign ×2" in said(region, "show")
    assert "`qianjiang region accept` takes it" in said(region, "admit", str(files[0]), code=1)
