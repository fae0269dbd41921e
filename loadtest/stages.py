"""What a decision is made of: the workers' CPU by stage, from the socket to the answer.

The whole is measured at a running gateway under load. The parts are measured in this process, each
in a loop of its own over real inputs and real engines, as CPU time of this process (waiting for an
engine does not count). The server's part is what the same server charges for an application that
reads the body and answers something of the same size. What remains is the loop: tasks, futures,
caches gone cold. A profiler would distort what it measures here; a loop of its own flatters a
stage, whose code and data are then always in the processor's caches, so `rest` is not small.

The stages themselves are in `loadtest/way.py`.

    python -m loadtest.stages
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import click
import msgspec
import uvloop

from gateway.app import open_city
from gateway.city import City
from gateway.local.processes import free_port
from gateway.local.running import RunningCity
from loadtest import population
from loadtest.closed import fresh_id
from loadtest.party import register
from loadtest.questions import Questions
from loadtest.serving import (
    Cost,
    Meter,
    Progress,
    Serving,
    checkpoint,
    owner_of,
    serve,
    throw_away_city,
)
from loadtest.way import SCENARIO, STAGES, Way, on_their_way


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure."""

    rounds: int = 5
    seconds: float = 4
    connections: int = 64
    workers: int = 2
    citizens: int = 10_000
    sample: int = 2_000  # questions that go through every stage


class Stage(msgspec.Struct, frozen=True):
    """A stage and the CPU of the worker that it takes of one decision, in microseconds.

    `us` is the middle of its `rounds`, without the stages that are measured inside it once more.
    """

    name: str
    us: float
    rounds: tuple[float, ...] = ()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A decision by stages, in the order of its way; `rest` is what no stage accounts for.

    `total_us` is measured at the running gateway, at `per_second` answers and `batch` of them in a
    commit; PostgreSQL's and Valkey's own CPU stand beside it.
    """

    total_us: float
    postgres_us: float
    valkey_us: float
    per_second: float
    batch: int
    stages: list[Stage]
    connections: int = 0
    rounds: tuple[Cost, ...] = ()
    """The whole at the running gateway, round by round."""

    @property
    def rest_us(self) -> float:
        """The loop: what the stages, each measured alone, do not account for."""
        return self.total_us - sum(stage.us for stage in self.stages)


class _Whole(msgspec.Struct, frozen=True):
    """The rounds at the running gateway, and their medians."""

    total_us: float
    postgres_us: float
    valkey_us: float
    server: Stage
    per_second: float
    batch: int
    rounds: tuple[Cost, ...]


def measure(options: Options, progress: Progress) -> Profile:
    """A city, the whole under load, then the parts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        throw_away_city(progress) as running,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        city = open_city(population.patient(running.settings))
        questions = runner.run(_people(city, running, options, Path(folder), progress))
        serving = serve(running, workers=options.workers)
        bare = serve(
            running, workers=options.workers, app="loadtest.bare:create_app", port=free_port()
        )
        whole = _under_load(serving, bare, questions, options, progress)
        progress(f"stages, {whole.batch} decisions in a batch")
        inside = open_city(running.settings)
        stages = runner.run(_stages(inside, questions, whole.batch, options))
    return Profile(
        total_us=whole.total_us,
        postgres_us=whole.postgres_us,
        valkey_us=whole.valkey_us,
        per_second=whole.per_second,
        batch=whole.batch,
        stages=[whole.server, *stages],
        connections=options.connections,
        rounds=whole.rounds,
    )


async def _people(
    city: City, running: RunningCity, options: Options, folder: Path, progress: Progress
) -> Questions:
    async with (
        city.running(),
        owner_of(running) as owner,
        population.room(running.engines.valkey.admin_url),
    ):
        shop = await register(city, owner, [SCENARIO])
        holdings = population.shoppers(shop, list(city.registry), [SCENARIO], 3)
        people = await population.settle(city, owner, options.citizens, holdings, progress)
        await population.warm(city, owner, people, progress)
        await checkpoint(running)
        return Questions(city, shop, people, [SCENARIO], folder)


def _under_load(
    serving: Serving, bare: Serving, questions: Questions, options: Options, progress: Progress
) -> _Whole:
    costs: list[Cost] = []
    servers, rates, batches = [], [], []
    for number in range(options.rounds + 1):
        progress(f"round {number} of {options.rounds}: decisions, then the bare server")
        first, meter = fresh_id(), Meter(serving)
        load = questions.ask(serving.host, serving.port, options.connections, options.seconds)
        cost = meter.each(load.answers)
        meter = Meter(bare)
        empty = questions.ask(bare.host, bare.port, options.connections, options.seconds)
        if number:  # the first goes ahead uncounted
            costs.append(cost)
            servers.append(meter.each(empty.answers).workers)
            rates.append(load.per_second)
            batches.append(serving.recorded(first).batch)
    middle = statistics.median
    return _Whole(
        total_us=middle(cost.workers for cost in costs),
        postgres_us=middle(cost.postgres for cost in costs),
        valkey_us=middle(cost.valkey for cost in costs),
        server=Stage("server", middle(servers), tuple(servers)),
        per_second=middle(rates),
        batch=max(1, round(middle(batches))),
        rounds=tuple(costs),
    )


async def _stages(city: City, questions: Questions, batch: int, options: Options) -> list[Stage]:
    """Every stage by itself, in rounds, as CPU time of this process."""
    spent: dict[str, list[float]] = {name: [] for name, _, _ in STAGES}
    async with city.running():
        way = Way(city, batch)
        for number in range(options.rounds + 1):
            asked = on_their_way(questions, options.sample)
            for name, step, _ in STAGES:
                begun = time.process_time_ns()
                await step(way, asked)
                took_us = (time.process_time_ns() - begun) / 1e3 / len(asked)
                if number:
                    spent[name].append(took_us)
    middle = {name: statistics.median(each) for name, each in spent.items()}
    return [
        Stage(name, middle[name] - sum(middle[inner] for inner in inside), tuple(spent[name]))
        for name, _, inside in STAGES
    ]


def describe(profile: Profile) -> str:
    """The profile as a list, with shares of the whole."""
    lines = [
        f"{profile.total_us:.0f} µs of the workers a decision at {profile.per_second:,.0f}/s,"
        f" {profile.batch} in a commit; PostgreSQL {profile.postgres_us:.0f} µs,"
        f" Valkey {profile.valkey_us:.1f} µs"
    ]
    lines += [
        f"  {stage.name:10} {stage.us:6.1f} µs  {stage.us / profile.total_us:4.0%}"
        for stage in (*profile.stages, Stage("rest", profile.rest_us))
    ]
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=4.0, show_default=True)
@click.option("--connections", default=64, show_default=True)
@click.option("--citizens", default=10_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The whole report.")
def main(as_json: bool, **given: float) -> None:
    """Say where the workers' CPU of one decision goes."""
    profile = measure(msgspec.convert(given, Options), lambda text: click.echo(text, err=True))
    click.echo(msgspec.json.encode(profile).decode() if as_json else describe(profile))


if __name__ == "__main__":
    main()
