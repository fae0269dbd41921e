"""What the calls cost that are not decisions: token, consent, commitment, withdrawal, lookups.

Each is sent over HTTP to a running gateway in a closed loop of a few connections, every request
once. CPU is that of the workers, PostgreSQL and Valkey; latency is measured from sending. The first
of the rounds goes ahead uncounted. Afterwards every acknowledged write is looked up in PostgreSQL:
exactly one row, or the run says which is missing.

    python -m loadtest.calls --calls 1500
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

import click
import msgspec

from gateway.app import open_city
from gateway.city import City
from gateway.oauth.clients import ASSERTION_TYPE
from gateway.oauth.metadata import TOKEN_PATH
from gateway.settings import Settings
from loadtest import client, whole
from loadtest.client import Reply
from loadtest.party import Shop, register
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
from loadtest.whole import SCENARIO, Visitor

#: Citizens whose lookups are read, again and again, and the answers on record about each.
READERS, HISTORY = 100, 20

#: The limiter's settings for a measurement: one address asks for all the tokens.
UNLIMITED = 1_000_000


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to send: `calls` of each kind in so many counted rounds."""

    calls: int = 1500
    rounds: int = 5
    connections: int = 8
    workers: int = 2


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledged writes against rows: `beyond` counts rows whose write was not acknowledged."""

    acknowledged: int
    once: int
    missing: int
    doubled: int
    beyond: int

    @property
    def balanced(self) -> bool:
        """Whether there are acknowledged writes, and every one exists exactly once."""
        return 0 < self.acknowledged == self.once and not self.missing and not self.doubled


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of call: cost of one, latency in milliseconds, and its books.

    `workers` is the spread of the workers' CPU over the rounds.
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


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The run, a line for each kind of call."""

    options: Options
    lines: list[Line]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind, ready to be sent.

    `keys` says for each request what its row is found by, `query` finds (key, id) of the rows for
    keys, and `told` is the id that an answer's body acknowledges.
    """

    name: str
    status: int
    requests: list[bytes]
    keys: list[str]
    query: str
    told: Callable[[str, bytes], str]


def books(acknowledged: Iterable[tuple[str, str]], rows: Iterable[tuple[str, str]]) -> Books:
    """Compare (key, id) of what was acknowledged with (key, id) of all rows there are."""
    held: defaultdict[str, list[str]] = defaultdict(list)
    for key, identifier in rows:
        held[key].append(identifier)
    told = list(acknowledged)
    return Books(
        acknowledged=len(told),
        once=sum(held.get(key, []) == [identifier] for key, identifier in told),
        missing=sum(identifier not in held.get(key, []) for key, identifier in told),
        doubled=sum(len(held.get(key, [])) > 1 for key, _ in told),
        beyond=sum(len(held[key]) for key in held.keys() - {key for key, _ in told}),
    )


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


def tokens(target: Target, city: City, shop: Shop, count: int) -> Call:
    """`POST /oauth/token` with private_key_jwt: each assertion signed beforehand, good once."""
    assertions = [shop.assertion(city) for _ in range(count)]
    forms = [
        urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        )
        for assertion, _ in assertions
    ]
    return Call(
        name="token",
        status=200,
        requests=[
            _request(target, "POST", TOKEN_PATH, form.encode(), kind=_FORM) for form in forms
        ],
        keys=[jti for _, jti in assertions],
        query="SELECT jti AS key, jti AS id FROM assertion_used WHERE jti = ANY ($1::text[])",
        told=lambda jti, body: jti if b'"access_token":"' in body else "",
    )


def grants(target: Target, city: City, people: Sequence[Visitor], links: Sequence[str]) -> Call:
    """A citizen grants the request behind a link."""
    text = city.registry[SCENARIO].manifest.consent.text_sha256.hex()
    body = msgspec.json.encode({"text_sha256": text})
    return Call(
        name="consent grant",
        status=200,
        requests=[
            _request(target, "POST", f"/v1/me/consent-requests/{link}/grant", body, each)
            for each, link in zip(people, links, strict=True)
        ],
        keys=_citizens(people),
        query=_OF_CITIZENS.format(table="consent", status="active"),
        told=_id,
    )


def signs(target: Target, city: City, people: Sequence[Visitor], signed: Sequence[str]) -> Call:
    """A citizen hands in a signed commitment; the text and nonce were fetched before."""
    return Call(
        name="commitment sign",
        status=201,
        requests=[
            _request(target, "POST", "/v1/me/commitments", msgspec.json.encode({"jws": jws}), each)
            for each, jws in zip(people, signed, strict=True)
        ],
        keys=_citizens(people),
        query=_OF_CITIZENS.format(table="commitment", status="signed"),
        told=_id,
    )


def lookups(target: Target, readers: Sequence[Visitor]) -> Call:
    """A citizen reads who asked: the number of lines read is the number of answers on record."""
    return Call(
        name="lookups",
        status=200,
        requests=[_request(target, "GET", "/v1/me/lookups", b"", each) for each in readers],
        keys=_citizens(readers),
        query="SELECT citizen::text AS key, count(*)::text AS id FROM decision"
        " WHERE citizen = ANY ($1::text[]::uuid[]) GROUP BY citizen",
        told=lambda _key, body: str(len(msgspec.json.decode(body)["lookups"])),
    )


def withdrawals(
    target: Target, people: Sequence[Visitor], granting: Call, granted: Sequence[Reply]
) -> Call:
    """Every citizen takes the consent back that was granted before."""
    consents = {
        granting.keys[reply.place]: _id("", reply.body)
        for reply in granted
        if reply.status == granting.status
    }
    leaving = [each for each in people if str(each.citizen) in consents]
    return Call(
        name="withdrawal",
        status=200,
        requests=[
            _request(
                target,
                "POST",
                f"/v1/me/consents/{consents[str(each.citizen)]}/withdraw",
                b"",
                each,
            )
            for each in leaving
        ],
        keys=_citizens(leaving),
        query=_OF_CITIZENS.format(table="consent", status="withdrawn"),
        told=_id,
    )


class _Sent(msgspec.Struct, frozen=True):
    """Every reply, and of the counted ones cost and time."""

    replies: list[Reply]
    counted: list[Reply]
    cost: Cost
    workers: Spread
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
    costs: list[float] = []
    loop, whole_meter = asyncio.get_running_loop(), Meter(target)
    begun = loop.time()
    for start in range(size, len(call.requests), size):
        meter = Meter(target)
        places = range(start, min(start + size, len(call.requests)))
        counted += await _round(target, call, places, options)
        costs.append(meter.each(len(places)).workers)
    took_s = loop.time() - begun
    cost = whole_meter.each(len(counted))
    return _Sent(replies + counted, counted, cost, Spread.of(costs or [0.0]), took_s)


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
        workers=sent.workers,
        per_second=len(sent.counted) / sent.seconds,
        p50_ms=client.percentile(took, 0.5) * 1e3,
        p99_ms=client.percentile(took, 0.99) * 1e3,
        books=await audit(owner, call, sent.replies),
    )


_FORM = "application/x-www-form-urlencoded"

_OF_CITIZENS = (
    "SELECT citizen::text AS key, id::text AS id FROM {table}"
    " WHERE citizen = ANY ($1::text[]::uuid[]) AND status = '{status}'"
)


def _request(
    target: Target,
    method: str,
    path: str,
    body: bytes,
    visitor: Visitor | None = None,
    kind: str = "application/json",
) -> bytes:
    """The bytes of a request, as the citizen's page or the party's program sends it."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
    if visitor is not None:
        head += f"Cookie: {visitor.cookie}\r\n"
        if method == "POST":
            # The session's own CSRF token is a good name for its single write of a path.
            head += f'X-CSRF-Token: {visitor.csrf}\r\nIdempotency-Key: "{visitor.csrf}{path}"\r\n'
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    elif method == "POST":
        head += "Content-Length: 0\r\n"
    return head.encode() + b"\r\n" + body


def _citizens(people: Iterable[Visitor]) -> list[str]:
    return [str(each.citizen) for each in people]


def _id(_key: str, body: bytes) -> str:
    return str(msgspec.json.decode(body)["id"])


def unthrottled(settings: Settings) -> Settings:
    """The settings with room for one client at one address to ask for every token."""
    return msgspec.structs.replace(
        settings, token_attempts_per_s=float(UNLIMITED), token_attempts_burst=UNLIMITED
    )


def measure(options: Options, progress: Progress) -> Report:
    """A throw-away city, whole citizens, and every kind of call."""
    with throw_away_city(progress) as running:
        settings = unthrottled(running.settings)

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
