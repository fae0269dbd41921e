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
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

import click
import msgspec

from gateway.city import City
from gateway.local.running import RunningCity
from gateway.working_days import calendar
from loadtest import manifests, population
from loadtest.party import Shop, register
from loadtest.questions import Questions
from loadtest.serving import APP, Progress, checkpoint, owner_of, serve, throw_away_city
from loadtest.sides import Comparison, Pace, Side, compare, describe
from scenarios.registry import Registry, load_registry


class Options(Pace, frozen=True, kw_only=True):
    """How much to measure, and how big is big."""

    workers: int = 2
    many_citizens: int = 1_000_000
    citizens: int = 10_000
    many_scenarios: int = 500
    scenarios: int = 5
    many_consents: int = 200
    consents: int = 3


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
        await checkpoint(running)
        return shop, people


def _folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


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
