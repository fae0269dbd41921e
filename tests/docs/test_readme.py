"""The two first pages: short before the first command, alike in both languages, and true."""

from __future__ import annotations

import re
import tomllib

from gateway.cli.up import PORT
from gateway.local.atlas import demo_city
from gateway.local.running import GATEWAY_HOST
from gateway.local.seeds import between_cities, load_seeds, seeds_of
from gateway.local.steps import Step
from gateway.working_days import calendar
from scenarios.registry import load_registry
from tests.docs.pages import README, README_ZH, ROOT, blocks, headings, links, spans, text

#: Lines that a reader reads before there is something to run.
LINES_MAX = 20

_STEP = re.compile(r"^(\d\d:\d\d)  (\S+) +(\S+) +(\S+) +(\S+) +(\S+)", re.MULTILINE)


def test_the_first_command_stands_within_twenty_lines() -> None:
    for page in (README, README_ZH):
        lines = text(page).splitlines()
        first = next(number for number, line in enumerate(lines, 1) if line.startswith("make "))
        assert first <= LINES_MAX, page.name


def test_both_languages_have_the_same_sections() -> None:
    english, chinese = headings(README), headings(README_ZH)
    assert [level for level, _ in english] == [level for level, _ in chinese]
    assert len(english) >= 8


def test_both_languages_name_the_same_things() -> None:
    other = {README.name, README_ZH.name}
    # Each shows the pages in its own language.
    english = {link.replace("-en-light", "-zh-light") for link in links(README)}
    assert english - other == set(links(README_ZH)) - other
    assert set(spans(README)) - {"curl"} == set(spans(README_ZH)) - {"curl"}


def test_both_languages_give_the_same_commands() -> None:
    def commands(page_blocks: list[str]) -> list[str]:
        return [
            line.partition("#")[0].strip() for each in page_blocks for line in each.splitlines()
        ]

    english, chinese = ([each.text for each in blocks(page, "sh")] for page in (README, README_ZH))
    assert commands(english) == commands(chinese)


def test_the_first_requests_go_where_the_city_listens() -> None:
    for page in (README, README_ZH):
        asked = re.findall(r"curl -s (http://[^/]+)/", text(page))
        assert set(asked) == {f"http://{GATEWAY_HOST}:{PORT}"}


def test_the_table_names_every_scenario_by_its_name() -> None:
    for page in (README, README_ZH):
        rows = dict(re.findall(r"^\| `([a-z]+)` \| (\S+) \|", text(page), re.MULTILINE))
        registry = load_registry(calendar())
        assert rows.keys() == set(registry)


def test_the_sample_of_the_day_is_what_the_seeds_say() -> None:
    seeds = load_seeds()
    parties = {party.id: party.name for party in seeds.parties.party}
    day = {
        (step.at, parties.get(step.party, "本人"), step.scenario, step.persona): step
        for step in seeds.day
    }
    for page in (README, README_ZH):
        shown = _STEP.findall(blocks(page, "text")[0].text)
        assert len(shown) >= 5
        for at, who, scenario, persona, expected, actual in shown:
            step = day[at, who, scenario, persona]
            assert expected == (step.expected if step.act == "ask" else step.act)
            assert step.act != "ask" or actual == expected
        asked = sum(step.act == "ask" for step in seeds.day)
        total = f"{len(seeds.day)} steps as expected; {asked} answers, {asked} records"
        assert total in text(page)


def test_the_sample_of_what_happens_between_cities_is_what_the_seeds_say() -> None:
    steps = between_cities()
    homes = {step.persona: step.home for step in steps if step.home}
    known = {_told(step, homes[step.persona]) for step in steps}
    for page in (README, README_ZH):
        _, *shown, more, end = blocks(page, "text")[1].text.splitlines()
        assert len(shown) >= 8
        assert more == "…"
        assert end == f"{len(steps)} steps between the cities as expected"
        rows = [re.split(" {2,}", line) for line in shown]
        assert {tuple(row[:6]) for row in rows} <= known
        assert [row for row in rows if row[5] != row[6] and row[5] != "take_back"] == []


def _told(step: Step, home: str) -> tuple[str, ...]:
    """A row as the demo shows it, without its outcome."""
    place = step.home if step.act == "take_back" else step.city
    names = {party.id: party.name for party in seeds_of(step.city).parties.party}
    scenarios = step.scenario or " ".join(step.scenarios) or "–"
    citizen = f"{step.persona}（{demo_city(home).zh}）"
    who = names.get(step.party, "本人")
    return step.at, demo_city(place).zh, who, scenarios, citizen, step.expected or step.act


def test_the_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["requires-python"].replace(">=", "≥ ")
    for page in (README, README_ZH):
        head = text(page).partition("```")[0]
        assert f"Python {wanted}" in head
        assert "python3-venv" in head
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_the_changelog_names_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")
