"""Results that nobody measured, whole and of any goodness, to draw and to judge."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence

from loadtest import calls, population, stages
from loadtest.accounts import UNREAD, Account
from loadtest.books import Books
from loadtest.closed import Round
from loadtest.conditions import Conditions, Machine
from loadtest.door import Load
from loadtest.figures import CALLS
from loadtest.options import Options
from loadtest.result import Result, Sections
from loadtest.sections import authzen, pairs, peers
from loadtest.sections.authzen import AuthZen
from loadtest.sections.flat import Flat
from loadtest.sections.latency import QUANTILES, Curve, Latency, Run
from loadtest.sections.overload import MULTIPLES, Overload
from loadtest.sections.pairs import Pairs
from loadtest.sections.peers import Peers
from loadtest.serving import Cost, Spread
from loadtest.sides import Comparison
from loadtest.sides import Round as SideRound
from loadtest.stalls.evidence import CAUSES, UNEXPLAINED, Stall
from loadtest.targets import computed

ROUNDS = 5


def a_round(workers: float, *, postgres: float = 0, per_second: float = 0) -> Round:
    """A round that cost so much, at the rate of two cores and a generator."""
    return Round(
        answers=10_000,
        wrong=0,
        per_second=per_second or 1.6e6 / (workers + postgres + 20),
        p50_ms=8,
        p99_ms=31,
        cost=Cost(workers, postgres, postgres / 12),
        batch=18 if postgres else 0,
        recorded=10_040 if postgres else 0,
    )


def rounds(workers: float, postgres: float = 0, count: int = ROUNDS) -> list[Round]:
    """Rounds that lie a little apart, the same every time."""
    dice = random.Random(workers)
    return [
        a_round(workers * dice.uniform(0.93, 1.08), postgres=postgres * dice.uniform(0.9, 1.1))
        for _ in range(count)
    ]


def account(run: str, *, missing: int = 0) -> Account:
    """The account of a run in which so many answers have no row."""
    return Account(
        run=run,
        by="id",
        answered=20_000,
        once=20_000 - missing,
        rows=20_040 - missing,
        beyond={UNREAD: 40},
        refused={"503": 3},
    )


def paired(decision: float = 150.0, hello: float = 60.0) -> Pairs:
    """A decision and the floors."""
    costs = {
        pairs.BARE_GET: (30, 0),
        pairs.BARE_POST: (48, 0),
        pairs.FRAMEWORK: (62, 0),
        pairs.HELLO: (hello, 0),
        pairs.HELLO_FEW: (hello, 0),
        pairs.UNIFORM: (decision, 42),
        pairs.UNIFORM_FEW: (decision * 1.1, 48),
        pairs.ZIPF: (decision * 0.98, 40),
    }
    return Pairs(
        connections=128,
        few_connections=64,
        rounds={name: rounds(*each) for name, each in costs.items()},
        accounts=[account("pairs: decision, uniform"), account("pairs, afterwards")],
    )


def rivals(ours: float = 8_000, cerbos: float = 2_000, conventional: float = 900) -> Peers:
    """Decisions a second, exactly so many in every round."""
    rates = {peers.OURS: ours, peers.CERBOS: cerbos, peers.CONVENTIONAL: conventional}
    by_name = {
        name: [a_round(1.6e6 / rate, per_second=rate)] * ROUNDS for name, rate in rates.items()
    }
    return Peers(
        connections=64,
        subjects=10_000,
        what=dict.fromkeys(rates, "what it does"),
        rounds={"uniform": by_name, "zipf": by_name},
        absent={},
        accounts=[account("peers: ours")],
    )


def a_stall(cause: str, at_s: float = 1.5) -> Stall:
    """A stall of that cause."""
    return Stall(
        at_s=at_s,
        length_ms=80.0,
        longest_ms=75.5,
        requests=12,
        cause=cause,
        detail="a worker",
        covered_ms={} if cause == UNEXPLAINED else {cause: 60.0},
    )


def open_loop(p50_ms: float = 2.0, p99_ms: float = 9.0, causes: Sequence[str] = CAUSES) -> Latency:
    """Runs at half of 8,000 a second, and a curve that bends at the peak."""
    latency_ms = [p50_ms * 0.5 + p99_ms * 0.5 / (1.001 - each) * 0.01 for each in QUANTILES]
    run = Run(
        offered=4_000,
        achieved=4_003,
        answered=3_990,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        lag_p99_ms=1.0,
        faults=(),
        latency_ms=latency_ms,
        over=len(causes),
        stalls=[a_stall(cause) for cause in causes],
        fsyncs=4_000,
        fsync_ms=0.8,
    )
    curve = [
        Curve(
            offered=share * 8_000,
            achieved=share * 8_000,
            answered=min(share * 8_000, 7_400),
            p50_ms=2 * share**3 + 1.5,
            p99_ms=90 * share**4 + 4,
            lag_p99_ms=1.0,
            faults=("its own lag: p99 12.0 ms",) if share > 1 else (),
        )
        for share in Options().shares
    ]
    return Latency(
        peak=8_000,
        connections=128,
        quantiles=QUANTILES,
        runs=[run] * ROUNDS,
        curve=curve,
        watched=["the generator's own lag"],
        accounts=[account("open loop 1")],
    )


def standard(evaluation_us: float = 28.0, search: float = 1.6) -> AuthZen:
    """Batches of a hundred, and searches that cost so many decisions."""
    return AuthZen(
        connections=8,
        search_connections=64,
        items=100,
        searched=62,
        found=60,
        unassessed=0,
        records=1.0,
        rounds={
            authzen.DECISION: rounds(150, 42),
            authzen.BATCH: rounds(evaluation_us * 100, 3_000),
            authzen.AMONG_MANY: [a_round(150, postgres=42)] * ROUNDS,
            authzen.SEARCHED: [a_round(150 * search, postgres=60)] * ROUNDS,
        },
        accounts=[account("authzen: evaluations")],
    )


def a_side(workers: float) -> SideRound:
    """A round of one side of a comparison."""
    return SideRound(
        cost=Cost(workers, 42, 4),
        answers=20_000,
        wrong=0,
        recorded=20_010,
        eligible=1.0,
        per_second=7_000,
        p50_ms=8,
        p99_ms=30,
    )


def comparison(name: str, big: str, small: str, target: float, ratio: float) -> Comparison:
    """The bigger side costs so many times as much."""
    spread = Spread(ratio * 0.97, ratio, ratio * 1.04)
    return Comparison(
        name=name,
        target=target,
        big=big,
        small=small,
        big_rounds=[a_side(150 * ratio)] * ROUNDS,
        small_rounds=[a_side(150)] * ROUNDS,
        workers=spread,
        postgres=spread,
        valkey=spread,
        summed=spread,
    )


def grown(ratio: float = 1.04) -> Flat:
    """Everything that can grow."""
    sides = (
        ("citizens", "1,000,000 citizens", "10,000 citizens", 1.1),
        ("scenarios", "505 scenarios compiled, 500 asked about", "5 scenarios compiled", 1.05),
        ("compiled", "505 scenarios compiled, 5 asked about", "5 scenarios compiled", 1.05),
        ("consents", "200 consents each", "3 consents each", 1.3),
    )
    return Flat(connections=64, comparisons=[comparison(*each, ratio) for each in sides])


def a_load(multiple: float, goodput: float = 0.97, refused_ms: float = 9.0) -> Load:
    """A run at a multiple of 300 a second."""
    refused = max(round((multiple - 1) * 300 * 5), 0)
    return Load(
        multiple=multiple,
        offered=multiple * 300,
        achieved=multiple * 300,
        faults=(),
        accepted=goodput * 300 if multiple > 1 else multiple * 295,
        goodput=goodput,
        accepted_p50_ms=6,
        accepted_p99_ms=20 * min(multiple, 1.5),
        statuses={"200": 1_450, **({"503": refused} if refused else {})},
        refused_p99_ms=refused_ms if refused else 0.0,
        refused_in_time=1.0,
        retry_after_s={"2": refused // 2, "3": refused // 2} if refused else {},
        withdrawals=25,
        withdrawn=25,
        withdrawal_p99_ms=17,
        resident_bytes=round((180 + multiple) * 2**20),
    )


def overloaded(goodput: float = 0.97, refused_ms: float = 9.0) -> Overload:
    """All multiples, in every round."""
    loads = [a_load(multiple, goodput, refused_ms) for multiple in MULTIPLES]
    return Overload(
        admission_per_s=300,
        connections=128,
        rounds=[loads] * ROUNDS,
        recovered_s=[0.5] * ROUNDS,
        accounts=[account("overload 1, 10 times")],
    )


def other_calls() -> calls.Report:
    """Every call that is not a decision."""
    books = Books(acknowledged=1_200, once=1_200, missing=0, doubled=0, beyond=0)
    lines = [
        calls.Line(
            name=name,
            calls=1_200,
            failed=0,
            cost=Cost(600 + 200 * place, 400, 20),
            workers=Spread(500, 600 + 200 * place, 1_500),
            per_second=900,
            p50_ms=6,
            p99_ms=25,
            books=books,
            rounds=(Cost(600 + 200 * place, 400, 20),) * ROUNDS,
        )
        for place, name in enumerate(CALLS)
    ]
    return calls.Report(options=calls.Options(), lines=lines)


def by_stage() -> stages.Profile:
    """A decision by its stages."""
    names = (
        *("server", "guard", "token", "parse", "subject"),
        *("standing", "scenario", "record", "commit", "encode"),
    )
    each = [stages.Stage(name, 5.0 + 2 * place, (5.0,) * 5) for place, name in enumerate(names)]
    return stages.Profile(
        total_us=180,
        postgres_us=44,
        valkey_us=4,
        per_second=7_000,
        batch=17,
        stages=each,
        connections=64,
        rounds=(Cost(180, 44, 4),) * ROUNDS,
    )


def weighed(grown_bytes: float = 240) -> population.Report:
    """What a citizen takes."""
    return population.Report(
        citizens=100_000,
        settle_s=10,
        warm_s=8,
        memory=population.Memory(
            citizens=100_000, consents=3, grown=grown_bytes, entry=230, value=170, body=148
        ),
    )


def whole() -> Sections:
    """Every section."""
    return Sections(
        pairs=paired(),
        peers=rivals(),
        latency=open_loop(),
        authzen=standard(),
        overload=overloaded(),
        flat=grown(),
        calls=other_calls(),
        stages=by_stage(),
        memory=weighed(),
    )


def result(sections: Sections, **failures: str) -> Result:
    """A session with these sections."""
    return Result(
        date=datetime.date(2026, 11, 23),
        quick=False,
        took_s=812.4,
        conditions=Conditions(
            machine=Machine(
                cpu="A processor", cores=2, memory_gib=15.6, kernel="Linux 6.8.0", load=0.1
            ),
            versions={"server": "a server 1.0", "Python": "3.11.7"},
            postgresql={"shared_buffers": "128MB"},
            partitions=15,
            citizens=10_000,
            consents=3,
            workers=2,
            generator="wrk 4.1.0",
            rounds=ROUNDS,
            seconds=3,
        ),
        sections=sections,
        failures=failures,
        targets=computed(sections),
    )
