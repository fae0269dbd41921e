"""Figures that targets are about, each from the sections that measured it; None where none did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from loadtest.closed import Round, ratios
from loadtest.door import Load
from loadtest.sections import authzen, overload, pairs, peers
from loadtest.serving import Spread
from loadtest.stalls.evidence import UNEXPLAINED

if TYPE_CHECKING:
    from loadtest.result import Sections

#: A figure, and how far its rounds lie apart.
Figure: TypeAlias = "Callable[[Sections], Spread | None]"

#: Calls that are not decisions and that every gateway of this version has.
CALLS = ("token", "consent grant", "commitment sign", "lookups", "withdrawal")


def of_workers(over: str, under: str) -> Figure:
    """Workers' CPU of one contender of the pairs over another's, pair by pair."""

    def figure(sections: Sections) -> Spread | None:
        made = sections.pairs
        if made is None or not {over, under} <= made.rounds.keys():
            return None
        return ratios(made.rounds[over], made.rounds[under], _workers)

    return figure


def summed_us(sections: Sections) -> Spread | None:
    """CPU of a decision, workers and engines."""
    made = sections.pairs
    return Spread.of(one.cost.summed for one in made.rounds[pairs.UNIFORM]) if made else None


def faster(than: str, distribution: str) -> Figure:
    """Decisions a second over those of a rival, pair by pair."""

    def figure(sections: Sections) -> Spread | None:
        by_name = sections.peers.rounds.get(distribution, {}) if sections.peers else {}
        if not {peers.OURS, than} <= by_name.keys():
            return None
        return ratios(by_name[peers.OURS], by_name[than], lambda one: one.per_second)

    return figure


def tail(sections: Sections) -> Spread | None:
    """p99 over p50 in an open loop at half the peak, run by run."""
    made = sections.latency
    return Spread.of(run.p99_ms / max(run.p50_ms, 1e-9) for run in made.runs) if made else None


def explained(sections: Sections) -> Spread | None:
    """The share of stalls that have a cause, run by run; of a run without a stall all have."""
    made = sections.latency
    if made is None:
        return None
    stalls = [[stall.cause != UNEXPLAINED for stall in run.stalls] or [True] for run in made.runs]
    return worst(sum(each) / len(each) for each in stalls)


def evaluation_us(sections: Sections) -> Spread | None:
    """Workers' CPU of one decision in a request for many."""
    made = sections.authzen
    if made is None:
        return None
    return Spread.of(one.cost.workers / made.items for one in made.rounds[authzen.BATCH])


def search(sections: Sections) -> Spread | None:
    """Workers' CPU of a search over that of a decision in the same city, pair by pair."""
    made = sections.authzen
    if made is None:
        return None
    return ratios(made.rounds[authzen.SEARCHED], made.rounds[authzen.AMONG_MANY], _workers)


def search_records(sections: Sections) -> Spread | None:
    """Rows that a search leaves."""
    return Spread.of([sections.authzen.records]) if sections.authzen else None


def flat(name: str) -> Figure:
    """The summed cost of the bigger side over that of the smaller."""

    def figure(sections: Sections) -> Spread | None:
        found = sections.flat.comparisons if sections.flat else []
        return next((each.summed for each in found if each.name == name), None)

    return figure


def citizen_bytes(sections: Sections) -> Spread | None:
    """What the cache's memory grows by with each citizen."""
    return Spread.of([sections.memory.memory.grown]) if sections.memory else None


def of_loads(multiple: float, part: Callable[[Load, Load], float]) -> Figure:
    """A figure of the runs at a multiple, each with the calm run of its round beside it."""

    def figure(sections: Sections) -> Spread | None:
        if sections.overload is None:
            return None
        rounds = [{load.multiple: load for load in one} for one in sections.overload.rounds]
        return Spread.of(part(one[multiple], one[overload.CALM]) for one in rounds)

    return figure


def goodput(load: Load, _: Load) -> float:
    """What was answered of what is let in."""
    return load.goodput


def slower(load: Load, calm: Load) -> float:
    """p99 of those accepted over that of the calm run."""
    return load.accepted_p99_ms / max(calm.accepted_p99_ms, 1e-9)


def refused_ms(load: Load, _: Load) -> float:
    """p99 of refusals."""
    return load.refused_p99_ms


def spread_out(load: Load, _: Load) -> float:
    """Different values of Retry-After; none where one refusal told none."""
    return 0 if "none" in load.retry_after_s else len(load.retry_after_s)


def grown(load: Load, calm: Load) -> float:
    """Memory of the workers over that of the calm run."""
    return load.resident_bytes / max(calm.resident_bytes, 1)


def offered(load: Load, _: Load) -> float:
    """What the generator began of what it was to begin."""
    return load.achieved / load.offered


def withdrawn(sections: Sections) -> Spread | None:
    """The share of withdrawals that succeeded in all runs of a round."""
    made = sections.overload
    if made is None:
        return None
    return worst(
        sum(one.withdrawn for one in each) / max(sum(one.withdrawals for one in each), 1)
        for each in made.rounds
    )


def recovered_s(sections: Sections) -> Spread | None:
    """Seconds until all is as before."""
    return Spread.of(sections.overload.recovered_s) if sections.overload else None


def calls(sections: Sections) -> Spread | None:
    """How many of the other calls have a line with every one answered as it must be."""
    if sections.calls is None:
        return None
    lines = {line.name for line in sections.calls.lines if line.calls and not line.failed}
    return Spread.of([float(len(lines & set(CALLS)))])


def once(sections: Sections) -> Spread | None:
    """The share of answered ids with exactly one row, run by run."""
    return worst(each.once / max(each.answered, 1) for each in sections.accounts())


def unexplained(sections: Sections) -> Spread | None:
    """Rows without an answer for which there is no cause."""
    found = [float(each.unexplained) for each in sections.accounts()]
    return Spread.of([sum(found)]) if found else None


def booked(sections: Sections) -> Spread | None:
    """The share of acknowledged writes of the other calls with exactly one row."""
    lines = sections.calls.lines if sections.calls else []
    return worst(each.books.once / max(each.books.acknowledged, 1) for each in lines)


def worst(shares: Iterable[float]) -> Spread | None:
    """The spread of shares of which the worst is what counts."""
    known = sorted(shares)
    return Spread(known[0], known[0], known[-1]) if known else None


def _workers(one: Round) -> float:
    return one.cost.workers
