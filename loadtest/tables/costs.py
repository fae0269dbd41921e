"""What things cost, as tables."""

from __future__ import annotations

from collections.abc import Callable

from loadtest.closed import Round
from loadtest.result import Result
from loadtest.sections import authzen
from loadtest.tables.words import Table, middle, number, spread


def costs(result: Result) -> Table:
    """What each contender of the paired rounds costs and gives."""
    made = result.sections.pairs
    return _contenders(made.rounds if made else {})


def rivals(result: Result) -> Table:
    """Ours and what people use today, by distribution."""
    made = result.sections.peers
    drawn = made.rounds.items() if made else ()
    named = {
        f"{name}, {distribution}": rounds
        for distribution, by_name in drawn
        for name, rounds in by_name.items()
    }
    return _contenders(named)


def standard(result: Result) -> Table:
    """AuthZEN's requests beside single decisions; a batch's figures are those of one item."""
    made = result.sections.authzen
    rows = []
    for name, rounds in (made.rounds if made else {}).items():
        items = made.items if made and name == authzen.BATCH else 1
        costs = [middle(rounds, part) / items for part in _PARTS]
        rate = middle(rounds, lambda one: one.per_second) * items
        rows.append((name, *map(number, (*costs, sum(costs), rate))))
    return Table(("what", "workers, µs", "PostgreSQL, µs", "Valkey, µs", "sum, µs", "1/s"), rows)


_PARTS: tuple[Callable[[Round], float], ...] = (
    lambda one: one.cost.workers,
    lambda one: one.cost.postgres,
    lambda one: one.cost.valkey,
)


def _contenders(rounds: dict[str, list[Round]]) -> Table:
    heads = (
        *("what", "workers, µs", "PostgreSQL, µs", "Valkey, µs", "sum, µs"),
        *("1/s", "p50, ms", "p99, ms", "batch"),
    )
    parts: tuple[Callable[[Round], float], ...] = (
        *_PARTS,
        lambda one: one.cost.summed,
        lambda one: one.per_second,
        lambda one: one.p50_ms,
        lambda one: one.p99_ms,
        lambda one: one.batch,
    )
    rows = [
        (name, *(number(middle(each, part) or None) for part in parts))
        for name, each in rounds.items()
    ]
    return Table(heads, rows)


def stages(result: Result) -> Table:
    """One decision by stage."""
    made = result.sections.stages
    if made is None:
        return Table(("stage", "workers, µs", "share"), [])
    known = [*((stage.name, stage.us) for stage in made.stages), ("rest", made.rest_us)]
    rows = [(name, number(us), f"{us / made.total_us:.0%}") for name, us in known]
    return Table(
        ("stage", "workers, µs", "share"), [*rows, ("whole", number(made.total_us), "100%")]
    )


def flat(result: Result) -> Table:
    """What growing costs."""
    made = result.sections.flat
    rows = [
        (
            f"{each.big} over {each.small}",
            *(spread(part) for part in (each.workers, each.postgres, each.valkey, each.summed)),
            f"≤ {number(each.target)}",
        )
        for each in (made.comparisons if made else ())
    ]
    return Table(("what", "workers", "PostgreSQL", "Valkey", "summed", "wanted"), rows)


def memory(result: Result) -> Table:
    """What a citizen takes of the cache, by what is counted."""
    made = result.sections.memory
    if made is None:
        return Table(("of one citizen", "bytes"), [])
    known = made.memory
    rows = [
        ("the body", number(known.body)),
        ("the stored value", number(known.value)),
        ("the entry, with its key", number(known.entry)),
        (f"growth of all memory over {known.citizens:,} citizens", number(known.grown)),
    ]
    return Table((f"of one citizen with {known.consents} consents", "bytes"), rows)


def calls(result: Result) -> Table:
    """The calls that are not decisions."""
    made = result.sections.calls
    rows = [
        (
            line.name,
            *(number(part) for part in (line.cost.workers, line.cost.postgres, line.cost.valkey)),
            *(number(part) for part in (line.p50_ms, line.p99_ms, line.per_second)),
            f"{line.books.once} of {line.books.acknowledged}",
        )
        for line in (made.lines if made else ())
    ]
    heads = (
        *("call", "workers, µs", "PostgreSQL, µs", "Valkey, µs"),
        *("p50, ms", "p99, ms", "1/s", "on record once"),
    )
    return Table(heads, rows)
