"""The page shows all of a result and nothing else, stands alone, and its plots can be read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html import unescape

import pytest

pytest.importorskip("matplotlib", reason="not installed: matplotlib (locks/bench.txt)")

from loadtest.page.document import PARTS, document
from loadtest.page.figures import PLOTS, drawn, pictures
from loadtest.page.goals import FAR, distance
from loadtest.page.legible import faults
from loadtest.page.look import COLOURS, DAY, alone, figure, styled
from loadtest.result import Sections
from loadtest.tables import TABLES
from loadtest.tables.words import number
from tests.loadtest import sessions

WHOLE = sessions.result(sessions.whole())
_SVG = "{http://www.w3.org/2000/svg}"


def test_the_page_holds_every_plot_every_target_and_every_line() -> None:
    page = document(WHOLE)
    for plot in PLOTS:
        assert plot.words in unescape(page), plot.name
    assert page.count("<svg") == len(PLOTS)
    for target in WHOLE.targets:
        assert f"{target.id} {target.text}" in unescape(page)
        assert number(target.figure, target.unit) in unescape(page)
    shown = {name for _, _, tables, _ in PARTS for name in tables}
    for name in shown:
        for row in TABLES[name](WHOLE).rows:
            assert all(cell.replace("`", "") in _text(page) for cell in row), name


def test_every_section_is_in_a_part_and_has_a_plot() -> None:
    shown = {name for _, plots, _, _ in PARTS for name in plots}
    assert shown == {plot.name for plot in PLOTS}
    drawn_sections = {plot.section for plot in PLOTS} - {"targets"}
    assert drawn_sections == set(Sections.__struct_fields__)


def test_the_page_needs_nothing_but_itself() -> None:
    page = document(WHOLE)
    assert not re.findall(r"<(?:script|link|img|iframe)\b|@import|url\((?!#)|src=", page)
    fetched = re.findall(r"(?:href|action)=\"(?!#)[^\"]*", page)
    assert fetched == []
    assert 'name="viewport"' in page


def test_what_was_not_measured_says_so_and_why() -> None:
    result = sessions.result(Sections(pairs=sessions.paired()), peers="npm <is> not installed")
    page = document(result)
    assert "Section peers did not end: npm &lt;is&gt; not installed." in page
    assert page.count("Not measured.") == sum(
        not any(TABLES[name](result).rows for name in tables) for _, _, tables, _ in PARTS
    )
    assert page.count("<svg") == 2  # the targets, and the one section


def test_a_result_with_nothing_in_it_is_a_page() -> None:
    page = document(sessions.result(Sections(), pairs="the city did not come up"))
    assert "Not measured." in page


def test_plots_can_be_read() -> None:
    for plot, made in drawn(WHOLE):
        assert faults(made) == [], plot.name


def test_a_plot_without_stalls_says_that_there_were_none() -> None:
    made = sessions.result(Sections(latency=sessions.open_loop(causes=[])))
    assert "no answer took longer" in pictures(made)["stalls"]
    assert all(faults(each) == [] for _, each in drawn(made))


def test_pictures_are_told_in_words_and_follow_the_readers_colours() -> None:
    for name, picture in pictures(WHOLE).items():
        root = ElementTree.fromstring(alone(picture))
        assert [child.tag for child in root][:2] == [f"{_SVG}title", f"{_SVG}desc"], name
        title = root.find(f"{_SVG}title")
        assert title is not None
        assert title.text
        assert "width" not in root.attrib, "as wide as its place"
        assert "font-family: system-ui" in picture
        bare = re.sub(r"var\(--[a-z]+, #[0-9a-f]{6}\)|<style>.*?</style>", "", alone(picture))
        assert not re.findall("|".join(DAY.values()), bare), "a colour that does not follow"


def test_colours_are_told_apart_by_their_values() -> None:
    assert len(set(DAY.values())) == len(COLOURS)


def test_a_plot_that_cannot_be_read_is_found_out() -> None:
    """The negative controls of the check."""
    with styled():
        made, (axes,) = figure(2)
        axes.plot([1, 2], label="one")
        axes.plot([2, 1], label="other")
        axes.set_xlabel("time")
        axes.text(1, 1.5, "a long text over another", clip_on=False)
        axes.text(1, 1.5, "the other text", clip_on=False)
        made.text(0.95, 0.5, "at the edge of the figure")
        found = faults(made)
    assert "no plot has a title" in found
    assert "plot 0: no axis says its unit" in found
    assert "plot 0: several kinds, and no legend" in found
    assert any("overlap" in each for each in found)
    assert any("runs out of the figure" in each for each in found)


def test_a_target_is_drawn_on_the_side_of_its_verdict() -> None:
    for target in WHOLE.targets:
        assert (distance(target) <= 1) == (target.met == "yes")
        assert 1 / FAR <= distance(target) <= FAR


def _text(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page))
