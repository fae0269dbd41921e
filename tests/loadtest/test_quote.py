"""docs/performance.md says what the newest published result says, to the digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.quote import NOTHING, PAGE, PICTURES, blocks, draw, markdown, picture, quoted
from loadtest.result import Sections, newest, read, write
from loadtest.tables import TABLES
from loadtest.tables.words import Table, number
from tests.loadtest import sessions

WHOLE = sessions.result(sessions.whole())


def test_the_page_quotes_the_newest_published_result() -> None:
    path = newest()
    page = PAGE.read_text("utf-8")
    assert quoted(page, None if path is None else read(path)) == page


def test_what_is_published_is_whole_and_has_its_page_and_pictures() -> None:
    path = newest()
    if path is None:
        assert not list(PAGE.parent.glob("images/performance-*.svg")), "of no result"
        return
    result = read(path)
    assert not result.quick
    assert result.failures == {}
    assert path.with_suffix(".html").exists()
    for name in PICTURES:
        assert picture(name).exists()


def test_the_page_shows_every_picture_and_every_target() -> None:
    page = quoted(PAGE.read_text("utf-8"), WHOLE)
    for name, words in PICTURES.items():
        assert f"![{words}](images/performance-{name}.svg)" in page
    for target in WHOLE.targets:
        assert f"{target.id} {target.text} | {number(target.figure, target.unit)} |" in page
    assert NOTHING not in page


def test_a_target_that_was_missed_is_told_with_its_reason() -> None:
    sections = Sections(pairs=sessions.paired(decision=150, hello=60))
    page = quoted(PAGE.read_text("utf-8"), sessions.result(sections, peers="no npm"))
    missed = page.partition("### What was missed")[2].partition("\n## ")[0]
    assert "- **1.1 Workers' CPU" in missed
    assert "The yardstick became cheaper" in missed
    assert "not measured: no npm." in missed
    assert "**8.1" not in missed, "that one is met"


def test_quoting_twice_changes_nothing_and_another_result_changes_figures() -> None:
    page = PAGE.read_text("utf-8")
    once = quoted(page, WHOLE)
    assert quoted(once, WHOLE) == once
    assert quoted(once, None) == quoted(page, None)
    other = sessions.result(Sections(pairs=sessions.paired(decision=99)))
    assert quoted(once, other) != once


def test_every_table_is_quoted_or_on_the_page_of_the_result() -> None:
    named = set(blocks(PAGE.read_text("utf-8")))
    assert TABLES.keys() - named == {"stalls", "accounts"}


def test_a_block_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        quoted("<!-- quote: nonsense -->\n<!-- /quote -->", WHOLE)


def test_a_table_in_markdown_keeps_its_columns() -> None:
    lines = markdown(Table(("what", "µs"), [("a|b", "1"), ("c", "2")])).splitlines()
    assert lines == ["| what | µs |", "| --- | ---: |", "| a/b | 1 |", "| c | 2 |"]
    assert markdown(Table(("what",), [])) == ""


def test_the_newest_result_is_the_last_whole_day(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    for name in ("2026-09-30", "2026-10-02", "2026-10-01", "draft", "2026-10-03-partial"):
        write(WHOLE, tmp_path / f"{name}.json")
    found = newest(tmp_path)
    assert found is not None
    assert found.name == "2026-10-02.json"
    assert read(found) == WHOLE


def test_pictures_of_a_result_replace_those_of_the_one_before(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="not installed: matplotlib (locks/bench.txt)")
    assert {path.name for path in draw(WHOLE, tmp_path)} == {
        f"performance-{name}.svg" for name in PICTURES
    }
    draw(sessions.result(Sections(pairs=sessions.paired())), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["performance-cost.svg"]


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "µs", "–"),
        (0.0, "rows", "0 rows"),
        (1.0, "×", "1×"),
        (2.468, "×", "2.47×"),
        (30.0, "µs", "30 µs"),
        (99.96, "µs", "100 µs"),
        (12_345.6, "", "12,346"),
        (1.0, "share", "100%"),
        (0.99995, "share", "99.995%"),
    ],
)
def test_figures_have_three_digits_that_count(value: float, unit: str, said: str) -> None:
    assert number(value, unit) == said
