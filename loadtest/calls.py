"""What the calls cost that are not decisions: token, consent, commitment, withdrawal, lookups.

Each is sent over HTTP to a running gateway in a closed loop of a few connections, every request
once. CPU is that of the workers, PostgreSQL and Valkey; latency is measured from sending. The first
of the rounds goes ahead uncounted. Afterwards every acknowledged write is looked up in PostgreSQL:
exactly one row, or the run says which is missing.

    python -m loadtest.calls --calls 1500
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click
import msgspec

from gateway.app import open_city
from gateway.city import City
from loadtest import client, whole
from loadtest.books import Books, books
from loadtest.client import Reply
from loadtest.party import Shop, register
from loadtest.requests import Call, grants, lookups, signs, tokens, withdrawals
from loadtest.serving import (
    Cost,
    Meter,
    Owner,
    Progress,
    Spread,
    Target,
    owner_of,
    serve,
    throw_away_city,
)
from loadtest.whole import SCENARIO

#: Citizens whose lookups are read, again and again, and the answers on record about each.
READERS, HISTORY = 100, 20


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to send: `calls` of each kind in so many counted rounds."""

    calls: int = 1500
    rounds: int = 5
    connections: int = 8
    workers: int = 2


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of call: cost of one, latency in milliseconds, and its books.

    `workers` is the spread of the workers' CPU over the rounds, `rounds` the cost in each of them.
    """

    name: str
    calls: int
    failed: int
    cost: Cost
    workers: Spread
    per_second: float
    p50_ms: float
    p99_ms: float
    books: Books
    rounds: tuple[Cost, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The run, a line for each kind of call."""

    options: Options
    lines: list[Line]


async def audit(owner: Owner, call: Call, replies: Sequence[Reply]) -> Books:
    """The books of a call: what its answers acknowledged, against PostgreSQL."""
    acknowledged = [
        (call.keys[reply.place], call.told(call.keys[reply.place], reply.body))
        for reply in replies
        if reply.status == call.status
    ]
    rows = await owner.fetch(call.query, call.keys)
    return books(acknowledged, [(row["key"], row["id"]) for row in rows])


async def run(
    target: Target, city: City, owner: Owner, shop: Shop, options: Options, progress: Progress
) -> list[Line]:
    """Send every kind of call and keep its books."""
    count = -(-options.calls // options.rounds) * (options.rounds + 1)
    people = await whole.visitors(city, count, progress)
    progress("preparing")
    readers = people[:READERS]
    lines = [await _line(target, owner, tokens(target, city, shop, count), options, progress)]
    granting = grants(target, city, people, await whole.links(city, shop, count))
    granted = await _send(target, granting, options, progress)
    lines.append(await _told(owner, granting, granted))
    signing = signs(target, city, people, await whole.signatures(city, people))
    lines.append(await _line(target, owner, signing, options, progress))
    await whole.histories(city, shop, readers, HISTORY)
    reading = lookups(target, [readers[number % len(readers)] for number in range(count)])
    lines.append(await _line(target, owner, reading, options, progress))
    leaving = withdrawals(target, people, granting, granted.replies)
    lines.append(await _line(target, owner, leaving, options, progress))
    return lines


class _Sent(msgspec.Struct, frozen=True):
    """Every reply, and of the counted ones cost and time."""

    replies: list[Reply]
    counted: list[Reply]
    cost: Cost
    rounds: tuple[Cost, ...]
    seconds: float


async def _line(
    target: Target, owner: Owner, call: Call, options: Options, progress: Progress
) -> Line:
    return await _told(owner, call, await _send(target, call, options, progress))


async def _send(target: Target, call: Call, options: Options, progress: Progress) -> _Sent:
    """Send all of a call in rounds, the first of them uncounted."""
    progress(f"{call.name}: {len(call.requests)} calls")
    size = -(-len(call.requests) // (options.rounds + 1))
    replies = await _round(target, call, range(size), options)
    counted: list[Reply] = []
    costs: list[Cost] = []
    loop, whole_meter = asyncio.get_running_loop(), Meter(target)
    begun = loop.time()
    for start in range(size, len(call.requests), size):
        meter = Meter(target)
        places = range(start, min(start + size, len(call.requests)))
        counted += await _round(target, call, places, options)
        costs.append(meter.each(len(places)))
    took_s = loop.time() - begun
    cost = whole_meter.each(len(counted))
    return _Sent(replies + counted, counted, cost, tuple(costs), took_s)


async def _round(target: Target, call: Call, places: range, options: Options) -> list[Reply]:
    requests = [call.requests[place] for place in places]
    replies = await client.send_each(target.host, target.port, requests, options.connections)
    return [msgspec.structs.replace(each, place=places[each.place]) for each in replies]


async def _told(owner: Owner, call: Call, sent: _Sent) -> Line:
    took = sorted(reply.took_s for reply in sent.counted)
    return Line(
        name=call.name,
        calls=len(sent.replies),
        failed=len(call.requests) - sum(each.status == call.status for each in sent.replies),
        cost=sent.cost,
        workers=Spread.of([each.workers for each in sent.rounds] or [0.0]),
        per_second=len(sent.counted) / sent.seconds,
        p50_ms=client.percentile(took, 0.5) * 1e3,
        p99_ms=client.percentile(took, 0.99) * 1e3,
        books=await audit(owner, call, sent.replies),
        rounds=sent.rounds,
    )


def measure(options: Options, progress: Progress) -> Report:
    """A throw-away city, whole citizens, and every kind of call."""
    with throw_away_city(progress) as running:
        settings = running.settings

        async def registered() -> Shop:
            city = open_city(settings)
            async with city.running(), owner_of(running) as owner:
                return await register(city, owner, [SCENARIO])

        # Before the gateway starts: its copy of the parties may be a second behind.
        shop = asyncio.run(registered())
        serving = serve(running, workers=options.workers, settings=settings)

        async def lines() -> list[Line]:
            city = open_city(settings)
            async with city.running(), owner_of(running) as owner:
                return await run(serving, city, owner, shop, options, progress)

        return Report(options=options, lines=asyncio.run(lines()))


def describe(line: Line) -> str:
    """A line for people."""
    cost, kept = line.cost, line.books
    return (
        f"{line.name:16} workers {cost.workers:6,.0f} µs"
        f" ({line.workers.least:,.0f} to {line.workers.greatest:,.0f}),"
        f" PostgreSQL {cost.postgres:6,.0f}, Valkey {cost.valkey:4.0f};"
        f" p50 {line.p50_ms:.1f} ms, p99 {line.p99_ms:.1f} ms, {line.per_second:,.0f}/s;"
        f" {line.failed} failed; {kept.acknowledged} acknowledged, {kept.once} exactly once,"
        f" {kept.beyond} beyond"
    )


@click.command()
@click.option("--calls", default=1500, show_default=True, help="Counted calls of each kind.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--connections", default=8, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The whole report.")
def main(as_json: bool, **given: int) -> None:
    """Measure the calls that are not decisions, and check every write."""
    report = measure(Options(**given), lambda text: click.echo(text, err=True))
    for line in report.lines:
        click.echo(msgspec.json.encode(line).decode() if as_json else describe(line))
    if not all(line.books.balanced for line in report.lines):
        raise click.ClickException("an acknowledged write is missing, or there twice")


if __name__ == "__main__":
    main()
