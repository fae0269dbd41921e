"""AuthZEN 1.0: what a decision costs in a batch of a hundred, and a search over many scenarios."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator

import msgspec

from gateway.settings import is_loopback
from loadtest.accounts import UNEXPLAINED, Account
from loadtest.closed import Contender, Round, alternate, fresh_id, generate
from loadtest.generator import SUBJECT, Plan
from loadtest.options import Options
from loadtest.sections import NotBuilt
from loadtest.serving import Progress
from loadtest.town import SCENARIO, Kind, Town, open_town

EVALUATIONS, SEARCH = "/access/v1/evaluations", "/access/v1/search/resource"

DECISION, BATCH = "decision", "evaluations"
AMONG_MANY, SEARCHED = "decision among many", "search"

#: Requests of so many items are sent over few connections: each is many decisions at once.
CONNECTIONS = 8

#: Different batches of subjects.
BATCHES = 1_000


class AuthZen(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds by contender. `found` and `unassessed` are what a search answers of `searched`
    scenarios, `records` the rows that it leaves."""

    connections: int
    search_connections: int
    items: int
    searched: int
    found: int
    unassessed: int
    records: float
    rounds: dict[str, list[Round]]
    accounts: list[Account]


class _Batch(msgspec.Struct):
    evaluations: list[_Decision]


class _Decision(msgspec.Struct):
    decision: bool


class _Assessed(msgspec.Struct):
    cannot_assess: list[str] = []


class _Found(msgspec.Struct):
    results: list[msgspec.Raw]
    context: _Assessed = msgspec.field(default_factory=_Assessed)


def measure(options: Options, progress: Progress) -> AuthZen:
    """Batches in the packaged city, then searches in one with many generated scenarios."""
    with open_town(options, progress) as town:
        _check_batch(town, options)
        connections = min(CONNECTIONS, options.few_connections)
        contenders = [
            town.contender(DECISION, options.few_connections),
            _without_commits(town.asked(BATCH, lambda: _batches(town, options, connections))),
        ]
        rounds = alternate(contenders, options, progress)
        account = _batch_account(town, options)
    with open_town(options, progress, Kind(generated=options.searched)) as town:
        found, unassessed = _check_search(town)
        contenders = [
            town.contender(AMONG_MANY, options.few_connections),
            _without_commits(town.asked(SEARCHED, lambda: _searches(town, options))),
        ]
        rounds |= alternate(contenders, options, progress)
        answered, rows = _counted(town, _searches(town, options), "search")
    return AuthZen(
        connections=connections,
        search_connections=options.few_connections,
        items=options.items,
        searched=options.searched,
        found=found,
        unassessed=unassessed,
        records=rows / max(answered, 1),
        rounds=rounds,
        accounts=[account, _account("searches", answered, rows)],
    )


def _without_commits(contender: Contender) -> Contender:
    """Neither a batch nor a count of rows makes sense for a request that is not one decision."""
    return msgspec.structs.replace(contender, ledger=None)


def _batches(town: Town, options: Options, connections: int) -> Plan:
    """Requests for evaluations, each of so many subjects drawn at random."""
    items = [f'{{"subject":{{"type":"citizen","id":"{name}"}}}}' for name in town.subjects]
    dice = random.Random(20260101)  # a choice, not a secret
    batches = tuple(",".join(dice.choices(items, k=options.items)) for _ in range(BATCHES))
    asked = {
        "action": {"name": "use"},
        "resource": {"type": "scenario", "id": SCENARIO},
        "context": town.facts[SCENARIO],
        "evaluations": [],
    }
    body = msgspec.json.encode(asked).decode().replace("[]", f"[{SUBJECT}]")
    plan = town.plan(connections)
    return msgspec.structs.replace(plan, path=EVALUATIONS, body=body, subjects=batches)


def _searches(town: Town, options: Options) -> Plan:
    """Searches about everybody, with the facts that all the scenarios declare."""
    context = {key: value for name in town.scenarios for key, value in town.facts[name].items()}
    asked = {
        "subject": {"type": "citizen", "id": SUBJECT},
        "action": {"name": "use"},
        "resource": {"type": "scenario"},
        "context": context,
    }
    return msgspec.structs.replace(
        town.plan(options.few_connections),
        path=SEARCH,
        body=msgspec.json.encode(asked).decode(),
        token=town.shop.token(town.city, town.scenarios),
    )


def _check_batch(town: Town, options: Options) -> None:
    """One batch, to see that it is answered and says yes.

    Raises:
        NotBuilt: the gateway has no such address.
    """
    said = msgspec.json.decode(_asked(_batches(town, options, 1)), type=_Batch)
    assert len(said.evaluations) == options.items, "an answer for each"
    assert all(each.decision for each in said.evaluations), "all of them consented"


def _check_search(town: Town) -> tuple[int, int]:
    said = msgspec.json.decode(_asked(_searches(town, Options())), type=_Found)
    assert said.results, "all of them consented"
    return len(said.results), len(said.context.cannot_assess)


def _asked(plan: Plan) -> bytes:
    assert is_loopback(f"http://{plan.host}"), "towns are on this machine"
    connection = http.client.HTTPConnection(plan.host, plan.port, timeout=10)
    try:
        body = plan.template.replace(SUBJECT, plan.subjects[0])
        fields = {"Content-Type": "application/json", "Authorization": f"Bearer {plan.token}"}
        connection.request("POST", plan.path, body, fields)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status == http.client.NOT_FOUND:
        raise NotBuilt(f"the gateway has no {plan.path}")
    assert answer.status == http.client.OK, f"{answer.status}: {said[:300]!r}"
    return said


def _counted(town: Town, plan: Plan, table: str) -> tuple[int, int]:
    """A second of our own generator, which reads every answer: answers and the rows they left."""
    first = fresh_id()
    came = generate(msgspec.structs.replace(plan, seconds=1.0), own=True)
    rows = town.rows(f"SELECT count(*) FROM {table} WHERE id >= $1", first)
    return came["statuses"].get(200, 0), rows


def _batch_account(town: Town, options: Options) -> Account:
    answered, rows = _counted(town, _batches(town, options, CONNECTIONS), "decision")
    return _account("evaluations", answered * options.items, rows)


def _account(run: str, answered: int, rows: int) -> Account:
    return Account(
        run=f"authzen: {run}",
        by="count",
        answered=answered,
        once=min(answered, rows),
        rows=rows,
        beyond=dict(_more(rows - answered)),
        refused={},
    )


def _more(count: int) -> Iterator[tuple[str, int]]:
    if count > 0:
        yield UNEXPLAINED, count
