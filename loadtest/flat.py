"""Does a decision cost the same in a big city? Paired rounds, A B A B …, inside one run.

    citizens    asked uniformly over 1,000,000, against over 10,000: two cities, each warm
    scenarios   500 generated scenarios and the packaged ones compiled, asked uniformly over the
                500, against five compiled and asked: two cities of 10,000
    compiled    the same two, but both asked about the same five: what having them costs
    consents    citizens with 200 consents against citizens with three: one city, one gateway

Everything runs on the local engines as they come (`shared_buffers` 128 MB, monthly partitions,
`synchronous_commit` on), but for Valkey's room, which is raised so that nothing is evicted. A round
of each side goes ahead uncounted.

    python -m loadtest.flat citizens scenarios compiled consents
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import click
import msgspec

from gateway.city import City
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.local.running import RunningCity
from gateway.working_days import calendar
from loadtest import manifests, population
from loadtest.party import Shop, register
from loadtest.questions import Questions
from loadtest.serving import (
    APP,
    Cost,
    Meter,
    Progress,
    Serving,
    Spread,
    owner_of,
    serve,
    throw_away_city,
)
from scenarios.contract import Outcome
from scenarios.registry import Registry, load_registry


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure, and how big is big."""

    rounds: int = 5
    seconds: float = 4
    connections: int = 64
    workers: int = 2
    many_citizens: int = 1_000_000
    citizens: int = 10_000
    many_scenarios: int = 500
    scenarios: int = 5
    many_consents: int = 200
    consents: int = 3


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One side for some seconds: cost of a decision, and how the answers came.

    `recorded` rows are of this round (those beyond `answers` were under way at its end), and
    `eligible` is their share that was a yes: a side that answered from nothing would show here.
    """

    cost: Cost
    answers: int
    wrong: int
    recorded: int
    eligible: float
    per_second: float
    p50_ms: float
    p99_ms: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Paired rounds of a big and a small side, and the ratios of their costs (big over small)."""

    name: str
    target: float
    big: str
    small: str
    big_rounds: list[Round]
    small_rounds: list[Round]
    workers: Spread
    postgres: Spread
    valkey: Spread
    summed: Spread

    @property
    def met(self) -> bool:
        """Whether the summed cost in the middle stays within the target."""
        return self.summed.middle <= self.target


class Side(msgspec.Struct, frozen=True):
    """A gateway and what it is asked."""

    says: str
    serving: Serving
    questions: Questions

    def round(self, options: Options) -> Round:
        """Ask for some seconds and divide what it cost by the answers."""
        serving, first = self.serving, SystemIds().uuid7(SystemClock().now_us())
        meter = Meter(serving)
        load = self.questions.ask(serving.host, serving.port, options.connections, options.seconds)
        cost = meter.each(load.answers)
        recorded, eligible = asyncio.run(_recorded(serving.running, first))
        return Round(
            cost=cost,
            answers=load.answers,
            wrong=load.wrong,
            recorded=recorded,
            eligible=eligible / max(recorded, 1),
            per_second=load.per_second,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
        )


def compare(
    name: str, target: float, big: Side, small: Side, options: Options, progress: Progress
) -> Comparison:
    """Ask both sides in turn, so that what else happens on the machine befalls both."""
    for side in (big, small):
        progress(f"{name}: warming up, {side.says}")
        side.round(options)
    bigs, smalls = [], []
    for number in range(options.rounds):
        progress(f"{name}: round {number + 1} of {options.rounds}")
        bigs.append(big.round(options))
        smalls.append(small.round(options))
    return Comparison(
        name=name,
        target=target,
        big=big.says,
        small=small.says,
        big_rounds=bigs,
        small_rounds=smalls,
        workers=_spread(bigs, smalls, lambda cost: cost.workers),
        postgres=_spread(bigs, smalls, lambda cost: cost.postgres),
        valkey=_spread(bigs, smalls, lambda cost: cost.valkey),
        summed=_spread(bigs, smalls, lambda cost: cost.summed),
    )


def by_citizens(options: Options, progress: Progress) -> Comparison:
    """A million citizens against ten thousand: at most 1.1 times the cost."""
    rent = load_registry(calendar())
    with ExitStack() as stack:
        sides = [
            stack.enter_context(
                _side(f"{count:,} citizens", rent, ["rent"], count, options, progress)
            )
            for count in (options.many_citizens, options.citizens)
        ]
        return compare("citizens", 1.1, *sides, options, progress)


def by_scenarios(options: Options, progress: Progress) -> Comparison:
    """500 scenarios beside the packaged ones, asked about all, against five: at most 1.05."""
    return _scenarios("scenarios", options.many_scenarios, options, progress)


def by_compiled(options: Options, progress: Progress) -> Comparison:
    """The same, asked about the same five on both sides: what merely having them costs."""
    return _scenarios("compiled", options.scenarios, options, progress)


def _scenarios(name: str, asked: int, options: Options, progress: Progress) -> Comparison:
    many, few = options.many_scenarios, options.scenarios
    progress(f"compiling {many} scenarios")
    big, small = manifests.registry(many), manifests.registry(few, packaged=False)
    environments = [manifests.environment(many), manifests.environment(few, packaged=False)]
    sides = zip((big, small), environments, (asked, few), strict=True)
    with ExitStack() as stack:
        opened = [
            stack.enter_context(
                _side(
                    f"{len(known)} scenarios compiled, {count} asked about",
                    known,
                    [manifests.name_of(number) for number in range(count)],
                    options.citizens,
                    options,
                    progress,
                    app="loadtest.manifests:create_app",
                    environment=environment,
                )
            )
            for known, environment, count in sides
        ]
        return compare(name, 1.05, *opened, options, progress)


def by_consents(options: Options, progress: Progress) -> Comparison:
    """200 consents against three, at one gateway: at most 1.3 times the cost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(throw_away_city(progress))
        city = manifests.city_with(population.patient(running.settings), load_registry(calendar()))
        counts = (options.many_consents, options.consents)
        shop, groups = asyncio.run(
            _people(
                city, running, ["rent"], [(options.citizens, each) for each in counts], progress
            )
        )
        serving = serve(running, workers=options.workers)
        sides = [
            Side(
                f"{count} consents each",
                serving,
                Questions(city, shop, group, ["rent"], _folder(folder, str(count))),
            )
            for count, group in zip(counts, groups, strict=True)
        ]
        return compare("consents", 1.3, *sides, options, progress)


COMPARISONS: dict[str, Callable[[Options, Progress], Comparison]] = {
    "citizens": by_citizens,
    "scenarios": by_scenarios,
    "compiled": by_compiled,
    "consents": by_consents,
}


@contextmanager
def _side(
    says: str,
    known: Registry,
    asked: Sequence[str],
    citizens: int,
    options: Options,
    progress: Progress,
    *,
    app: str = APP,
    environment: dict[str, str] | None = None,
) -> Iterator[Side]:
    """A city of its own, peopled, warm and serving."""
    with (
        tempfile.TemporaryDirectory() as folder,
        throw_away_city(lambda text: progress(f"{says}: {text}")) as running,
    ):
        city = manifests.city_with(population.patient(running.settings), known)
        groups = [(citizens, options.consents)]
        shop, (people,) = asyncio.run(_people(city, running, asked, groups, progress))
        progress(f"{says}: starting the gateway")
        serving = serve(running, workers=options.workers, app=app, environment=environment)
        yield Side(says, serving, Questions(city, shop, people, asked, Path(folder)))


async def _people(
    city: City,
    running: RunningCity,
    asked: Sequence[str],
    groups: Sequence[tuple[int, int]],
    progress: Progress,
) -> tuple[Shop, list[list[UUID]]]:
    """A shop, and groups of so many citizens with so many consents, all of them in the cache."""
    async with (
        owner_of(running) as owner,
        population.room(running.engines.valkey.admin_url),
        city.running(),
    ):
        await manifests.put_live(owner, city.registry)
        shop, people = await register(city, owner, asked), []
        for citizens, consents in groups:
            holdings = population.shoppers(shop, list(city.registry)[:5], asked, consents)
            group = await population.settle(city, owner, citizens, holdings, progress)
            await population.warm(city, owner, group, progress)
            people.append(group)
        return shop, people


async def _recorded(running: RunningCity, first: UUID) -> tuple[int, int]:
    """Rows of decisions from an id on, and those of them that say yes."""
    async with owner_of(running) as owner:
        query = "SELECT count(*), count(*) FILTER (WHERE outcome = $2) FROM decision WHERE id >= $1"
        row = await owner.fetchrow(query, first, Outcome.ELIGIBLE.value)
    assert row is not None, "an aggregate is one row"
    return row[0], row[1]


def _folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def _spread(
    bigs: Sequence[Round], smalls: Sequence[Round], part: Callable[[Cost], float]
) -> Spread:
    ratios = [
        part(big.cost) / max(part(small.cost), 0.01)
        for big, small in zip(bigs, smalls, strict=True)
    ]
    return Spread.of(ratios)


def describe(comparison: Comparison) -> str:
    """A comparison in a few lines."""
    parts = ("workers", "postgres", "valkey", "summed")
    return "\n".join(
        [
            f"{comparison.name}: {comparison.big} against {comparison.small}",
            _said(comparison.big, comparison.big_rounds),
            _said(comparison.small, comparison.small_rounds),
            *(f"  {part:8} {getattr(comparison, part)}" for part in parts),
            f"  target {comparison.target}: {'met' if comparison.met else 'not met'}",
        ]
    )


def _said(says: str, rounds: Sequence[Round]) -> str:
    workers, postgres, valkey = (
        statistics.median(getattr(each.cost, part) for each in rounds)
        for part in ("workers", "postgres", "valkey")
    )
    wrong, answers = (sum(getattr(each, name) for each in rounds) for name in ("wrong", "answers"))
    return (
        f"  {says}: workers {workers:.0f} µs, PostgreSQL {postgres:.0f}, Valkey {valkey:.1f};"
        f" {statistics.median(each.per_second for each in rounds):,.0f}/s,"
        f" {wrong} of {answers} not a 200,"
        f" {min(each.eligible for each in rounds):.1%} eligible"
    )


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(COMPARISONS)))
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=4.0, show_default=True)
@click.option("--connections", default=64, show_default=True)
@click.option("--many-citizens", default=1_000_000, show_default=True)
@click.option("--citizens", default=10_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The whole report.")
def main(names: Sequence[str], as_json: bool, **given: float) -> None:
    """Compare the cost of a decision in a big city and in a small one."""
    options = msgspec.convert(given, Options)
    for name in names or COMPARISONS:
        found = COMPARISONS[name](options, lambda text: click.echo(text, err=True))
        click.echo(msgspec.json.encode(found).decode() if as_json else describe(found))


if __name__ == "__main__":
    main()
