"""What was aimed at, and what came of it: every figure computed from the sections, none typed in.

A target has a bound (`wanted`), something to reach for beyond it (`reached_for`), or both. It is
met where the figure keeps the bound, or, where there is none, what was reached for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec

from loadtest import door, figures
from loadtest.figures import Figure
from loadtest.sections import overload, pairs, peers
from loadtest.serving import Spread

if TYPE_CHECKING:
    from loadtest.result import Sections

Met = Literal["yes", "no", "not measured"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One target; `short` is its name in plots, `where` the section that it comes from.

    `figure` is the middle of its rounds, `least` and `greatest` their ends. `at_most` says which
    side of the bound is the good one.
    """

    id: str
    short: str
    text: str
    unit: str
    at_most: bool
    wanted: float | None
    reached_for: float | None
    figure: float | None
    least: float | None
    greatest: float | None
    met: Met
    reached: Met
    where: str


class _Aim(msgspec.Struct, frozen=True):
    """A target before it is measured; `figure` is the spread of its rounds, None if not there."""

    id: str
    short: str
    text: str
    where: str
    figure: Figure
    unit: str = "×"
    wanted: float | None = None
    reached_for: float | None = None
    at_most: bool = True


def computed(sections: Sections) -> list[Target]:
    """Every target, with its figure where there is one."""
    return [_target(aim, aim.figure(sections)) for aim in AIMS]


def verdict(figure: float | None, bound: float | None, *, at_most: bool) -> Met:
    """Whether a figure keeps a bound; without one of them there is no verdict."""
    if figure is None or bound is None:
        return "not measured"
    return "yes" if (figure <= bound if at_most else figure >= bound) else "no"


def _target(aim: _Aim, spread: Spread | None) -> Target:
    figure = spread.middle if spread else None
    bound = aim.reached_for if aim.wanted is None else aim.wanted
    return Target(
        id=aim.id,
        short=aim.short,
        text=aim.text,
        unit=aim.unit,
        at_most=aim.at_most,
        wanted=aim.wanted,
        reached_for=aim.reached_for,
        figure=figure,
        least=spread.least if spread else None,
        greatest=spread.greatest if spread else None,
        met=verdict(figure, bound, at_most=aim.at_most),
        reached=verdict(figure, aim.reached_for, at_most=aim.at_most),
        where=aim.where,
    )


def _pairs() -> Iterator[_Aim]:
    over_hello = figures.of_workers(pairs.UNIFORM, pairs.HELLO)
    over_few = figures.of_workers(pairs.UNIFORM_FEW, pairs.HELLO_FEW)
    over_bare = figures.of_workers(pairs.UNIFORM, pairs.BARE_POST)
    said, short = "Workers' CPU of a decision over a framework's hello", "decision : hello"
    yield _Aim("1.1", short, said, "pairs", over_hello, wanted=1.0, reached_for=0.75)
    short, more = f"{short}, fewer conn.", ", at fewer connections"
    yield _Aim("1.2", short, said + more, "pairs", over_few, wanted=1.0)
    said = "Workers' CPU of a decision over a bare handler that reads a body"
    yield _Aim("1.3", "decision : bare", said, "pairs", over_bare, reached_for=3.0)
    said, summed = "CPU of a decision, workers and engines summed", figures.summed_us
    yield _Aim("1.4", "CPU summed", said, "pairs", summed, unit="µs", reached_for=200.0)


def _peers() -> Iterator[_Aim]:
    rivals = (
        ("2.1", peers.CERBOS, "Cerbos with its log", 3.5, 5.0),
        ("2.2", peers.CONVENTIONAL, "a conventional service as durable", 6.0, None),
    )
    for number, name, said, wanted, more in rivals:
        for letter, drawn in (("a", peers.UNIFORM), ("b", peers.ZIPF)):
            yield _Aim(
                number + letter,
                f"rate : {name}, {drawn}",
                f"Decisions a second over {said}, subjects {drawn}",
                "peers",
                figures.faster(name, drawn),
                wanted=wanted,
                reached_for=more,
                at_most=False,
            )


def _latency() -> Iterator[_Aim]:
    said = "p99 over p50, open loop at half the peak"
    yield _Aim("3.1", "p99 : p50", said, "latency", figures.tail, wanted=5.0)
    said, short, share = "Stalls over 50 ms joined to a cause", "stalls explained", "share"
    yield _Aim("3.2", short, said, "latency", figures.explained, share, 1.0, at_most=False)


def _authzen() -> Iterator[_Aim]:
    said, short = "Workers' CPU of a decision in a request for 100 evaluations", "one of 100"
    yield _Aim("4.1", short, said, "authzen", figures.evaluation_us, unit="µs", wanted=30.0)
    said = "Workers' CPU of a search over 62 scenarios over one decision's"
    yield _Aim("4.2", "search : decision", said, "authzen", figures.search, wanted=2.0)
    said, short = "Records that a search leaves", "records of a search"
    yield _Aim("4.3", short, said, "authzen", figures.search_records, unit="rows", wanted=1.0)


def _flat() -> Iterator[_Aim]:
    sides = (
        ("5.1", "citizens", "1,000,000 citizens over 10,000", 1.1),
        ("5.2", "scenarios", "500 scenarios over 5, all asked about", 1.05),
        ("5.3", "consents", "200 consents over 3", 1.3),
    )
    for number, name, said, wanted in sides:
        figure = figures.flat(name)
        yield _Aim(number, f"many {name}", f"Cost with {said}", "flat", figure, wanted=wanted)
    said, weighed = "Cache for a citizen with three consents", figures.citizen_bytes
    yield _Aim("5.4", "bytes of a citizen", said, "memory", weighed, unit="bytes", wanted=250.0)


def _overload() -> Iterator[_Aim]:
    for letter, multiple, share in (("a", overload.TWICE, 0.9), ("b", overload.TENFOLD, 0.8)):
        said, more = f"at {multiple:g} times what is let in", f" at {multiple:g}×"
        for number, aim in enumerate(_beyond(partial(figures.of_loads, multiple), share), 1):
            yield msgspec.structs.replace(
                aim, id=f"6.{number}{letter}", short=aim.short + more, text=f"{aim.text} {said}"
            )
    said, share_of = "Withdrawals that succeed meanwhile", figures.withdrawn
    yield _Aim("6.7", "withdrawals", said, "overload", share_of, "share", 0.999, at_most=False)
    said, seconds = "Seconds until all is as before", figures.recovered_s
    yield _Aim("6.8", "recovery", said, "overload", seconds, "s", 5.0)


def _beyond(of: Callable[..., Figure], goodput: float) -> Iterator[_Aim]:
    """What holds at every multiple beyond what is let in."""
    where, most = "overload", door.REFUSED_MS
    figure = of(figures.goodput)
    yield _Aim("", "goodput", "Goodput", where, figure, "share", goodput, at_most=False)
    said = "p99 of accepted, over the calm run's,"
    yield _Aim("", "p99 accepted", said, where, of(figures.slower), "×", 2.0)
    said = "p99 of refusals"
    yield _Aim("", "p99 refused", said, where, of(figures.refused_ms), "ms", most)
    said, figure = "Values of Retry-After", of(figures.spread_out)
    yield _Aim("", "Retry-After", said, where, figure, "", 2.0, at_most=False)
    said = "Workers' memory, over the calm run's,"
    yield _Aim("", "memory", said, where, of(figures.grown), "×", 1.25)
    figure = of(figures.offered)
    yield _Aim("", "load", "Load achieved", where, figure, "share", 0.98, at_most=False)


def _rest() -> Iterator[_Aim]:
    said = "Other calls with CPU, p99 and a line of their own"
    count, share = float(len(figures.CALLS)), "share"
    yield _Aim("7", "other calls", said, "calls", figures.calls, "calls", count, at_most=False)
    said = "Answered ids with exactly one row"
    yield _Aim("8.1", "one row each", said, "accounts", figures.once, share, 1.0, at_most=False)
    said = "Rows without an answer and without a cause"
    yield _Aim("8.2", "rows unexplained", said, "accounts", figures.unexplained, "rows", 0.0)
    said = "Acknowledged writes of the other calls with exactly one row"
    yield _Aim("8.3", "writes once", said, "calls", figures.booked, share, 1.0, at_most=False)


AIMS: tuple[_Aim, ...] = (
    *(*_pairs(), *_peers(), *_latency(), *_authzen(), *_flat(), *_overload(), *_rest()),
)
