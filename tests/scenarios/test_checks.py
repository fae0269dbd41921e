"""A faulty manifest is refused before anybody may be asked by it, with file, line and remedy."""

from __future__ import annotations

import re

import pytest

from scenarios.problem import ManifestError, Problem
from scenarios.registry import parse_manifest
from tests.scenarios.worlds import SAMPLE

FILE = "sample/scenario.toml"
BAND = 'when = { ge = ["standing.band", "param.floor"] }'
AMOUNT = 'name = "amount"\nunit = "fen"\nmin = 1\nmax = 1_000_000'
FEE = 'optional = true\nused_for = "order"\nzh = "费用"'
FLOOR = 'unit = "band"\nzh = "门槛"'
OWN = re.findall(r"^when = .*party\.city.*$", SAMPLE, re.MULTILINE)[0]
PROMISE = SAMPLE[SAMPLE.index("[commitment]") : SAMPLE.index("[[facts]]")]


def problems(old: str, new: str) -> list[Problem]:
    """What is wrong with the sample once `old` is written as `new`."""
    assert old in SAMPLE
    with pytest.raises(ManifestError) as caught:
        parse_manifest(SAMPLE.replace(old, new, 1), FILE)
    return list(caught.value.problems)


def asking(spelled: str) -> tuple[str, str]:
    """The sample's first clause, asking something else."""
    return BAND, f"when = {spelled}"


REFUSED: dict[str, tuple[tuple[str, str], str]] = {
    # The grammar.
    "an unknown operator": (asking('{ like = ["fact.place", "a"] }'), "Unknown operator `like`"),
    "two operators": (asking("{ ge = [1, 2], le = [1, 2] }"), "exactly one key"),
    "a bare word": (asking('"standing.commitment"'), "exactly one key"),
    "too few operands": (asking('{ ge = ["standing.band"] }'), "A list of 2 entries"),
    "a single alternative": (asking("{ any = [{ ge = [1, 2] }] }"), "A list of 2 to 8 entries"),
    "a free word as operand": (asking('{ ge = ["band", 1] }'), "`band` is no reference"),
    "an operand of no kind": (asking("{ ge = [{ product = [1, 2] }, 1] }"), "spells no operand"),
    "a fraction": (asking('{ ge = ["standing.band", 2.5] }'), "exactly one key"),
    "a calendar of another time": (asking('{ working_day = "fact.due" }'), "asked about now"),
    "an hour that is none": (asking('{ between = ["now", "8:00", "24:00"] }'), "no time of day"),
    "a clock of another time": (
        asking('{ between = ["fact.due", "08:00", "09:00"] }'),
        "about now",
    ),
    "a span without limit": (asking('{ within = { time = "fact.due" } }'), "a limit in days"),
    # Names.
    "an undeclared fact": (asking('{ ge = ["fact.amuont", 1] }'), "`fact.amuont` is not declared"),
    "an undeclared parameter": (
        asking('{ ge = ["standing.band", "param.x"] }'),
        "`param.x` is not",
    ),
    "an unreadable standing": (asking('{ ge = ["standing.score", 1] }'), "`standing.score` is not"),
    "an unknown party property": (asking('{ eq = ["party.name", "fact.place"] }'), "`party.name`"),
    "an undeclared read": (('"band", "waived_fen"', '"band"'), "`waived_fen` is read and not"),
    "an unneeded read": (
        ('reads = ["band"', 'reads = ["cards", "band"'),
        "`cards` is declared and",
    ),
    "a read named twice": (
        ('reads = ["band"', 'reads = ["band", "band"'),
        "`band` is declared and",
    ),
    "an impossible read": (
        ('reads = ["band"', 'reads = ["score", "band"'),
        "`score` cannot be read",
    ),
    "a fact that nothing needs": (
        (FEE, FEE.replace('used_for = "order"\n', "")),
        "No clause asks for `fee`",
    ),
    "a parameter that nothing needs": (asking('{ ge = ["standing.band", 3] }'), "asks for `floor`"),
    "a clause that takes a universal name": (('id = "band"', 'id = "consent"'), "taken already"),
    "a fact named twice": (('name = "fee"', 'name = "amount"'), "taken already"),
    "a fact named by a word of Python": (('name = "fee"', 'name = "class"'), "a word of Python"),
    # Units.
    "fen against points": (
        asking('{ ge = ["standing.points_balance", "fact.amount"] }'),
        "`standing.points_balance` (points) is compared with `fact.amount` (fen)",
    ),
    "a city against a community": (
        asking('{ eq = ["fact.where", "party.community"] }'),
        "(city) is compared with",
    ),
    "a sum of fen and counts": (
        asking('{ ge = [{ sum = ["fact.amount", "standing.loans_open"] }, 1] }'),
        "A sum of count and fen",
    ),
    "a sum of bands": (asking('{ ge = [{ sum = ["standing.band", 1] }, 1] }'), "cannot be added"),
    "a sum with something absent": (
        asking('{ ge = [{ difference = ["standing.stock", 1] }, 1] }'),
        "cannot be added",
    ),
    "texts in order": (asking('{ lt = ["fact.place", "fact.place"] }'), "has no order"),
    "a flag against a number": (asking('{ eq = ["standing.commitment", 1] }'), "is compared with"),
    "two literals": (asking("{ eq = [1, 1] }"), "Two literals are compared"),
    "a list compared": (
        asking('{ eq = ["fact.place", "standing.residency"] }'),
        "A list cannot be",
    ),
    "membership in no list": (asking('{ in = ["fact.place", "fact.place"] }'), "is no list"),
    "a list in a list": (asking('{ in = ["standing.cards", "standing.cards"] }'), "is a list"),
    "a card among communities": (asking('{ in = ["fact.where", "param.places"] }'), "is compared"),
    "now against a number": (asking('{ ge = ["now", "fact.amount"] }'), "now is compared with"),
    "now exactly": (asking('{ eq = ["now", "fact.due"] }'), "No instant equals another"),
    "the presence of what is there": (asking('{ present = "fact.amount" }'), "is always there"),
    "hours that end before they begin": (
        asking('{ between = ["now", "22:00", "06:00"] }'),
        "ends before it begins",
    ),
    "hours of another unit": (
        asking('{ between = ["now", "param.floor", "06:00"] }'),
        "no time of",
    ),
    "a span of money": (
        asking('{ within = { time = "fact.amount", at_most_days = 1 } }'),
        "no time",
    ),
    "a span in bands": (
        asking('{ within = { time = "fact.due", at_most_days = "param.floor" } }'),
        "is no number of days",
    ),
    # What a clause may depend on.
    "cannot_assess by the citizen": (
        (OWN, 'when = { eq = ["standing.waived_fen", "fact.amount"] }'),
        "`cannot_assess` would depend on the citizen (waived_fen)",
    ),
    "cannot_assess by the citizen's band": (
        (OWN, 'when = { le = ["fact.amount", "param.cap"] }'),
        "`cannot_assess` would depend on the citizen (band)",
    ),
    "an optional fact without a word on its absence": (
        asking('{ ge = ["fact.fee", 1] }'),
        "`fee` may be absent",
    ),
    "a stock without a word on its absence": (
        asking('{ ge = ["standing.stock", 1] }'),
        "`stock` may",
    ),
    # Parameters.
    "dates that do not ascend": (("from = 2026-02-01", "from = 2026-01-01"), "do not ascend"),
    "a date before all of this": (("from = 2026-01-10", "from = 1969-01-10"), "too early"),
    "five values for six bands": (
        ("[0, 1, 2, 300, 400, 500]", "[0, 1, 2, 300, 400]"),
        "six entries",
    ),
    "a value of another unit": (('value = "08:30"', "value = 8"), "does not fit unit clock"),
    "a band that does not exist": (("value = 2, source", "value = 6, source"), "fit unit band"),
    "a list and a number in turns": (
        ('value = 3, source = "示例", i', 'value = [3], source = "示例", i'),
        "lists",
    ),
    "a parameter that is an instant": ((FLOOR, FLOOR.replace("band", "time")), "be an instant"),
    # Facts.
    "a number without bounds": ((AMOUNT, 'name = "amount"\nunit = "fen"'), "needs bounds"),
    "bounds the wrong way round": (("min = 1\n", "min = 2_000_000\n"), "`min` is above `max`"),
    "a text without a length": (("max_length = 16\n", ""), "needs a longest length"),
    "a pattern that is none": (('pattern = "[a-z]+"', 'pattern = "[a-z"'), "no regular expression"),
    "bounds of another unit": (('unit = "time"', 'unit = "time"\nmin = 1'), "do not fit unit time"),
    "a fact that is a time of day": (
        ('unit = "flag"', 'unit = "clock"'),
        "cannot be a time of day",
    ),
    # The rest of the manifest.
    "an example that is not valid": (("amount = 100", "amount = 0"), "The example is not valid"),
    "an example that lacks a fact": (("amount = 100\n", ""), "The example lacks amount"),
    "an example of a fixed instant": (("{ in_days = 2 }", "{ on = 2 }"), "no value of a fact"),
    "a commitment without words": (
        (PROMISE, ""),
        "A commitment is asked for and has no text",
    ),
    "a commitment that nothing asks for": (
        (', "commitment"]', "]"),
        "A commitment is asked for and has no text",
    ),
    "an unknown key": (
        ('status = "draft"', 'status = "draft"\nowned = 1'),
        "unknown field `owned`",
    ),
    "a version that is no version": (('version = "1.2.3"', 'version = "1.2"'), "matching regex"),
    "a status that is none": (('status = "draft"', 'status = "done"'), "Invalid enum value"),
    "a missing text": (('help_en = "Help"', ""), "missing required field `help_en`"),
    "text that is not TOML": (asking("{ ge = "), "This is not TOML"),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_a_faulty_manifest_is_refused(change: tuple[str, str], says: str) -> None:
    found = problems(*change)

    (problem,) = [problem for problem in found if says in problem.message]
    assert problem.file == FILE
    assert problem.remedy.endswith(".")
    assert str(problem).startswith(f"{FILE}:{problem.line}: {problem.field}: ")
    assert _names(problem, SAMPLE.replace(*change, 1).splitlines()[problem.line - 1])


def _names(problem: Problem, line: str) -> bool:
    """Whether the line is one that a reader of the problem would look at."""
    steps = re.findall(r"[a-z_]+", problem.field)
    opens = line.startswith("[") and steps[0] in line
    return opens or any(re.match(rf"\s*{step}\s*=", line) for step in steps) or steps == ["file"]


@pytest.mark.parametrize(
    ("change", "field", "key"),
    [
        (
            ("[0, 1, 2, 300, 400, 500]", "[0, 1]"),
            "parameters[1].dated[0]",
            "dated = [{ from = 2026-01-10",
        ),
        (asking('{ ge = ["fact.x", 1] }'), "clauses[0].when", 'when = { ge = ["fact.x", 1] }'),
        (asking("{ not = { like = 1 } }"), "clauses[0].when.not", "when = { not = { like = 1 } }"),
        (('pattern = "[a-z]+"', 'pattern = "[a-z"'), "facts[2].pattern", 'pattern = "[a-z"'),
        (("min = 1\n", "min = -1\n"), "facts[0].min", "min = -1"),
        (
            ("max_duration_days = 30", "max_duration_days = 0"),
            "consent.max_duration_days",
            "max_duration_days = 0",
        ),
        (('reads = ["band"', 'reads = ["cards", "band"'), "reads[0]", 'reads = ["cards", "band"'),
        (asking("{ ge = "), "(file)", "when = { ge = "),
    ],
)
def test_a_problem_names_field_and_line(change: tuple[str, str], field: str, key: str) -> None:
    lines = SAMPLE.replace(*change, 1).splitlines()
    named = {(problem.field, lines[problem.line - 1][: len(key)]) for problem in problems(*change)}
    assert (field, key) in named


def test_all_faulty_clauses_are_named_at_once() -> None:
    text = SAMPLE.replace('["standing.band"', '["standing.x"').replace('"fact.place"', '"fact.x"')
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text, FILE)
    assert len(caught.value.problems) >= 3


def test_a_key_inside_a_long_text_is_not_taken_for_a_key() -> None:
    old = 'zh = "用于测试的场景。"'
    text = SAMPLE.replace(old, 'zh = """\nstatus = 1\n[consent]\n"""')
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text.replace('version = "1.0.0"\nfields', 'version = "one"\nfields'), FILE)
    (problem,) = caught.value.problems
    assert text.splitlines()[problem.line - 1].startswith("version")


def test_the_sample_itself_is_sound() -> None:
    assert parse_manifest(SAMPLE, FILE).id == "sample"
