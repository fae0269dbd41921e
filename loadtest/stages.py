"""What a decision is made of: the workers' CPU by stage, from the socket to the answer.

The whole is measured at a running gateway under load. The parts are measured in this process, each
in a loop of its own over real inputs and real engines, as CPU time of this process (waiting for an
engine does not count). The server's part is what the same server charges for an application that
reads the body and answers something of the same size. What remains is the loop: tasks, futures,
caches gone cold. A profiler would distort what it measures here; a loop of its own flatters a
stage, whose code and data are then always in the processor's caches, so `rest` is not small.

`STAGES` is the one place to change when the path does.

    python -m loadtest.stages
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import uvloop
from litestar.types import HTTPScope, Receive, Scope, Send

from gateway.app import open_city
from gateway.city import City
from gateway.decision import Answer, Premises, Question, _judge
from gateway.edge.body import ELIGIBILITY_BYTES, decode, read_body
from gateway.edge.eligibility import Eligibility
from gateway.local.processes import free_port
from gateway.local.running import RunningCity
from gateway.processes import die_with_parent
from gateway.standing import Standing, Wanted
from gateway.store.decision import Proposal
from loadtest import population
from loadtest.party import register
from loadtest.questions import Questions
from loadtest.serving import (
    Cost,
    Meter,
    Progress,
    Serving,
    owner_of,
    serve,
    throw_away_city,
)

SCENARIO = "rent"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure."""

    rounds: int = 5
    seconds: float = 4
    connections: int = 64
    workers: int = 2
    citizens: int = 10_000
    sample: int = 2_000  # questions that go through every stage


class Stage(msgspec.Struct, frozen=True):
    """A stage and the CPU of the worker that it takes of one decision, in microseconds."""

    name: str
    us: float


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

    @property
    def rest_us(self) -> float:
        """The loop: what the stages, each measured alone, do not account for."""
        return self.total_us - sum(stage.us for stage in self.stages)


class Asked(msgspec.Struct):
    """One question on its way through the stages; each fills in what the next one takes."""

    scope: HTTPScope
    body: bytes
    subject: str = ""
    wish: Any = None
    question: Any = None
    standing: Any = None
    premises: Any = None
    proposal: Any = None
    answer: Any = None
    sent: bytes = b""

    async def receive(self) -> Any:
        """The body in one piece, as nearly every body comes."""
        return {"type": "http.request", "body": self.body, "more_body": False}


class _Whole(msgspec.Struct, frozen=True):
    """Medians of the rounds at the running gateway."""

    total_us: float
    postgres_us: float
    valkey_us: float
    server_us: float
    per_second: float
    batch: int


class Way:
    """The parts of a worker that a question passes."""

    def __init__(self, city: City, batch: int) -> None:
        self.city, self.batch = city, batch
        self.wire = Eligibility(city)._wires[SCENARIO]

    async def token(self, asked: Sequence[Asked]) -> None:
        """Find the token that was verified before, and the party's place in the scenario."""
        for each in asked:
            principal = self.city.tokens.authenticate(each.scope["headers"])
            each.question = principal, principal.party.registrations[SCENARIO]

    async def parse(self, asked: Sequence[Asked]) -> None:
        """Read, check and decode the body."""
        for each in asked:
            raw = await read_body(each.scope, each.receive, limit_bytes=ELIGIBILITY_BYTES)
            each.wish = decode(raw, self.wire.decoder)

    async def subject(self, asked: Sequence[Asked]) -> None:
        """Open the citizen's name, and put the question together."""
        city, now_us = self.city, self.city.clock.now_us()
        for each in asked:
            principal, registration = each.question
            citizen = city.pseudonyms.open(each.wish.subject, registration.view.sector)
            assert citizen is not None, "made for this recipient"
            each.question = Question(
                principal=principal,
                registration=registration,
                scenario=self.wire.scenario,
                citizen=citizen,
                facts=each.wish.facts,
                received_us=now_us,
                deadline=city.clock.monotonic() + city.settings.decision_deadline_s,
            )

    async def standing(self, asked: Sequence[Asked]) -> None:
        """Get the entries, a batch in one MGET, and make them usable."""
        for start in range(0, len(asked), self.batch):
            batch = asked[start : start + self.batch]
            wanted = [Wanted(each.question.citizen) for each in batch]
            found: list[Standing] = await self.city.standings._read(wanted)
            for each, standing in zip(batch, found, strict=True):
                each.premises = self.city.decisions._usable(standing)

    async def scenario(self, asked: Sequence[Asked]) -> None:
        """What the scenario may see, and its verdict."""
        now_us = self.city.clock.now_us()
        for each in asked:
            question: Question = each.question
            premises: Premises = each.premises
            _judge(question, premises, question.registration.view, now_us, used_up=False)

    async def record(self, asked: Sequence[Asked]) -> None:
        """The record: verdict (again), id, digest, hashes, sealed facts."""
        now_us = self.city.clock.now_us()
        for each in asked:
            each.proposal = self.city.decisions._propose(
                each.question, each.premises, now_us, None, used_up=False
            )

    async def commit(self, asked: Sequence[Asked]) -> None:
        """Send batches to PostgreSQL and take the outcomes."""
        committer, database = self.city.committer, self.city._batch
        for start in range(0, len(asked), self.batch):
            batch = asked[start : start + self.batch]
            proposals: list[Proposal] = [each.proposal for each in batch]
            outcomes = await committer._record(proposals, database)
            for each, outcome in zip(batch, outcomes, strict=True):
                assert not isinstance(outcome, Exception), outcome
                assert outcome.receipt is not None, "recorded"
                each.answer = each.proposal.record, outcome

    async def encode(self, asked: Sequence[Asked]) -> None:
        """The answer as JSON."""
        for each in asked:
            record, outcome = each.answer
            each.sent = self.wire.encode(
                Answer(
                    decision=record.id,
                    outcome=record.outcome,
                    at_us=outcome.at_us,
                    valid_until_us=outcome.valid_until_us,
                    receipt=outcome.receipt,
                    score_as_of=record.score_as_of,
                )
            )


Step = Callable[[Way, Sequence[Asked]], Awaitable[None]]

#: Every stage in the order of the path, with the stages that are measured inside it once more.
STAGES: tuple[tuple[str, Step, tuple[str, ...]], ...] = (
    ("token", Way.token, ()),
    ("parse", Way.parse, ()),
    ("subject", Way.subject, ()),
    ("standing", Way.standing, ()),
    ("scenario", Way.scenario, ()),
    ("record", Way.record, ("scenario",)),
    ("commit", Way.commit, ()),
    ("encode", Way.encode, ()),
)


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
            running, workers=options.workers, app="loadtest.stages:create_bare", port=free_port()
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
        stages=[Stage("server", whole.server_us), *stages],
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
        return Questions(city, shop, people, [SCENARIO], folder)


def _under_load(
    serving: Serving, bare: Serving, questions: Questions, options: Options, progress: Progress
) -> _Whole:
    costs: list[Cost] = []
    servers, rates, batches = [], [], []
    for number in range(options.rounds + 1):
        progress(f"round {number} of {options.rounds}: decisions, then the bare server")
        meter, commits = Meter(serving), serving.commits()
        load = questions.ask(serving.host, serving.port, options.connections, options.seconds)
        cost, commits = meter.each(load.answers), serving.commits() - commits
        meter = Meter(bare)
        empty = questions.ask(bare.host, bare.port, options.connections, options.seconds)
        if number:  # the first goes ahead uncounted
            costs.append(cost)
            servers.append(meter.each(empty.answers).workers)
            rates.append(load.per_second)
            batches.append(load.answers / max(commits, 1))
    middle = statistics.median
    return _Whole(
        total_us=middle(cost.workers for cost in costs),
        postgres_us=middle(cost.postgres for cost in costs),
        valkey_us=middle(cost.valkey for cost in costs),
        server_us=middle(servers),
        per_second=middle(rates),
        batch=max(1, round(middle(batches))),
    )


async def _stages(city: City, questions: Questions, batch: int, options: Options) -> list[Stage]:
    """Every stage by itself, in rounds, as CPU time of this process."""
    spent: dict[str, list[float]] = {name: [] for name, _, _ in STAGES}
    async with city.running():
        way = Way(city, batch)
        for number in range(options.rounds + 1):
            asked = _asked(questions, options.sample)
            for name, step, _ in STAGES:
                begun = time.process_time_ns()
                await step(way, asked)
                took_us = (time.process_time_ns() - begun) / 1e3 / len(asked)
                if number:
                    spent[name].append(took_us)
    middle = {name: statistics.median(each) for name, each in spent.items()}
    return [
        Stage(name, middle[name] - sum(middle[inner] for inner in inside))
        for name, _, inside in STAGES
    ]


def _asked(questions: Questions, count: int) -> list[Asked]:
    """The first so many questions as the server hands them to the application."""
    asked = []
    for raw in questions.requests("127.0.0.1", 80)[:count]:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *fields = head.split(b"\r\n")
        pairs = (field.split(b": ", 1) for field in fields)
        headers = [(name.lower(), value) for name, value in pairs]
        path = first.split(b" ")[1].decode()
        scope: Any = {"type": "http", "method": "POST", "path": path, "headers": headers}
        asked.append(Asked(scope=scope, body=body))
    return asked


_EMPTY = b'{"decision_id":"' + b"x" * 420 + b'"}'
_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def create_bare() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The yardstick of the server's part: the body is read, an answer of a decision's size sent."""
    die_with_parent()
    return _bare


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    if scope["type"] != "http":  # lifespan
        while message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
            message = await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _EMPTY, "more_body": False})


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
