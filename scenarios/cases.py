"""The cases of a scenario: examples that a lawyer can read, and that the rule must agree with.

`cases.toml` opens with a `[baseline]` (a question that is answered `eligible`); each case says
what is different from it, what the answer is then, and which clauses are not met.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from scenarios.compiler import Compiled
from scenarios.contract import Values
from scenarios.facts import to_us

CASES = "cases.toml"

Instant = Annotated[datetime, Meta(tz=True)]


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question that every case starts from."""

    at: Instant
    values: dict[str, Any]
    facts: dict[str, Any]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question and its answer, told by what differs from the baseline.

    `missing` names facts that are not sent, `unknown` values that the gateway does not have.
    """

    name: str
    outcome: Literal["eligible", "standard_path", "cannot_assess"]
    unmet: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    at: Instant | None = None


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of a `cases.toml`."""

    baseline: Baseline
    cases: Annotated[tuple[Case, ...], Meta(min_length=12)]


class Difference(msgspec.Struct, frozen=True):
    """A case that the scenario answers in another way than was written."""

    case: str
    expected: tuple[str, tuple[str, ...]]
    actual: tuple[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"{self.case}: {_spell(self.expected)} was written, {_spell(self.actual)} answered."


def parse_cases(text: str) -> Cases:
    """The cases that a TOML text spells.

    Raises `tomllib.TOMLDecodeError` and `msgspec.ValidationError`.
    """
    cases = msgspec.convert(tomllib.loads(text), Cases)
    for values in (cases.baseline.values, *(case.values for case in cases.cases)):
        # A misspelt value would be ignored, and its case would prove nothing.
        unknown = sorted(set(values) - set(Values.__struct_fields__))
        if unknown:
            raise msgspec.ValidationError(f"Nothing is called {', '.join(unknown)} - in `values`")
    return cases


def differences(compiled: Compiled, cases: Cases) -> Iterator[Difference]:
    """Every case that the scenario answers differently."""
    for case in cases.cases:
        expected = (case.outcome, tuple(sorted(case.unmet)))
        actual = play(compiled, cases.baseline, case)
        if expected != actual:
            yield Difference(case.name, expected, actual)


def play(compiled: Compiled, baseline: Baseline, case: Case) -> tuple[str, tuple[str, ...]]:
    """The outcome of a case and the ids of the clauses not met, sorted."""
    sent = _without(case.missing, {**baseline.facts, **case.facts})
    had = _without(case.unknown, {**baseline.values, **case.values})
    verdict = compiled.decide(
        msgspec.convert(had, Values),
        # Through JSON, as the facts of a party arrive.
        msgspec.json.decode(msgspec.json.encode(sent), type=compiled.facts_type),
        to_us(case.at or baseline.at),
    )
    unmet = sorted(clause.id for clause in compiled.unmet(verdict))
    return verdict.outcome.wire, tuple(unmet)


def uncovered(compiled: Compiled, cases: Iterable[Case]) -> set[str]:
    """The clauses that are met in every case, or in none: they are not shown to matter."""
    known = list(cases)
    counts = {
        clause.id: sum(clause.id in case.unmet for case in known) for clause in compiled.clauses
    }
    return {clause for clause, unmet in counts.items() if not 0 < unmet < len(known)}


def _without(names: tuple[str, ...], mapping: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


def _spell(answer: tuple[str, tuple[str, ...]]) -> str:
    outcome, unmet = answer
    return f"{outcome} ({', '.join(unmet) or 'all met'})"
