"""What was aimed at, and what others measured elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.closed import Round
from loadtest.result import Result
from loadtest.sections import pairs, peers
from loadtest.tables.words import Table, middle, number
from loadtest.targets import Target

#: Met, not met, not measured.
SIGNS = {"yes": "✓", "no": "✗", "not measured": "–"}

NOT_MEASURED = "not measured"


def targets(result: Result) -> Table:
    """Every target with its figure, met or not at the first glance."""
    rows = [
        (
            SIGNS[each.met],
            f"{each.id} {each.text}",
            number(each.figure, each.unit),
            bounds(each),
            _ends(each),
        )
        for each in result.targets
    ]
    return Table(("", "target", "figure", "wanted", "least to greatest"), rows)


def bounds(target: Target) -> str:
    """What was wanted, and what was reached for."""
    sign, unit = "≤" if target.at_most else "≥", _unit(target)
    wanted = f"{sign} {number(target.wanted, unit)}" if target.wanted is not None else ""
    if target.reached_for is None:
        return wanted
    reach = f"reach for {sign} {number(target.reached_for, unit)}"
    return f"{wanted}, {reach}" if wanted else reach


def _ends(target: Target) -> str:
    if target.least is None or target.least == target.greatest:
        return ""
    unit = _unit(target)
    return f"{number(target.least, unit)} to {number(target.greatest, unit)}"


def _unit(target: Target) -> str:
    """A unit changes how a figure is written only where it is a share."""
    return target.unit if target.unit == "share" else ""


# What the targets were set by: what, CPU a request of its server in µs, rate a second; the
# machine was another one. Where ours has no counterpart, the last is empty.
YARDSTICKS: tuple[tuple[str, str, str, str], ...] = (
    ("bare ASGI handler, JSON out", "40–46", "22,000–26,000", pairs.BARE_GET),
    ("Litestar `@asgi` handler", "70–80", "12,000–14,000", pairs.FRAMEWORK),
    (
        "Litestar typed GET (hello)",
        "150–172",
        "5,500–8,700 with one worker, 11,200 with two",
        pairs.HELLO,
    ),
    ("naive decision: redis-py GET, cached token, no record", "450", "2,000–2,500", ""),
    (
        "the whole path, full check, durable record, 64 connections",
        "1.1–1.2 × hello, PostgreSQL 45–58",
        "5,100–5,700",
        pairs.UNIFORM_FEW,
    ),
    (
        "the whole path, full check, durable record, 128 connections",
        "185, PostgreSQL 45–58",
        "7,100",
        pairs.UNIFORM,
    ),
    ("FastAPI, PyJWT, redis-py GET, no record", "920", "1,100", ""),
    ("FastAPI + SQLAlchemy + redis, a durable record each", "–", "–", peers.CONVENTIONAL),
    ("Cerbos 0.55, four clauses, file decision log", "977", "1,950", peers.CERBOS),
    ("OpenFisca 46 Web API, one variable", "–", "500", ""),
)


def yardsticks(result: Result) -> Table:
    """The figures that the work began with, and beside each line what this session measured."""
    rows = []
    for what, cpu, rate, name in YARDSTICKS:
        rounds = _rounds_of(result, name)
        ours = (_cost(rounds), number(middle(rounds, lambda one: one.per_second)))
        rows.append((what, cpu, rate, *(ours if rounds else (NOT_MEASURED, NOT_MEASURED))))
    heads = ("what", "there: CPU, µs", "there: rate, 1/s", "here: CPU, µs", "here: rate, 1/s")
    return Table(heads, rows)


def _rounds_of(result: Result, name: str) -> Sequence[Round]:
    made, rivals = result.sections.pairs, result.sections.peers
    if made is not None and name in made.rounds:
        return made.rounds[name]
    return rivals.rounds.get(peers.UNIFORM, {}).get(name, ()) if rivals is not None else ()


def _cost(rounds: Sequence[Round]) -> str:
    """Server's CPU, and PostgreSQL's where it takes part."""
    told = number(middle(rounds, lambda one: one.cost.workers))
    postgres = middle(rounds, lambda one: one.cost.postgres)
    return f"{told}, PostgreSQL {number(postgres)}" if postgres else told
