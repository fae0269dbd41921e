"""The example of the scenario page is a scenario, and answers as its cases say."""

from __future__ import annotations

import re
import tomllib

import msgspec

from gateway.working_days import calendar
from scenarios.cases import Baseline, Case, Cases, differences
from scenarios.compiler import Compiled, compile_scenario
from scenarios.grammar import parse_test
from scenarios.registry import parse_manifest
from scenarios.universal import UNIVERSAL
from tests.docs.pages import ROOT, blocks, text

PAGE = ROOT / "docs" / "scenarios.md"
MANIFEST, CASES = (block.text for block in blocks(PAGE, "toml"))


def compiled() -> Compiled:
    return compile_scenario(parse_manifest(MANIFEST, "docs/scenarios.md"), calendar())


def test_the_example_has_no_fault_and_its_numbers_are_marked() -> None:
    manifest = compiled().manifest
    assert all(value.illustrative for each in manifest.parameters for value in each.dated)


def test_the_example_answers_as_its_cases_say() -> None:
    document = tomllib.loads(CASES)
    cases = Cases(
        msgspec.convert(document["baseline"], Baseline),
        msgspec.convert(document["cases"], tuple[Case, ...]),
    )
    assert [str(found) for found in differences(compiled(), cases)] == []


def test_the_cases_separate_the_examples_own_clauses() -> None:
    unmet = {name for case in tomllib.loads(CASES)["cases"] for name in case.get("unmet", [])}
    own = {clause.id for clause in compiled().clauses} - {clause.id for clause in UNIVERSAL}
    assert own <= unmet


def test_every_form_of_the_table_is_in_the_grammar() -> None:
    table = text(PAGE).partition("## What a clause can say")[2].partition("A value is")[0]
    forms = re.findall(r"`\{ (.+?) \}`", table)
    assert len(forms) >= 10
    for form in forms:
        spelled = (
            form.replace("[t, …]", "[T, T]")
            .replace("= t", "= T")
            .replace("T", '{ eq = ["now", "now"] }')
            .replace("list", '"param.l"')
        )
        spelled = re.sub(r"\b[abnm]\b", '"now"', spelled)
        parse_test(tomllib.loads(f"form = {{ {spelled} }}")["form"], ())
