"""`POST /access/v1/evaluation` and `/access/v1/evaluations`: the hot route's questions in AuthZEN.

`decision` is true for `eligible` alone, and our own answer is its `context`. What is wrong with one
item of a batch is told in that item. A batch that is executed as a whole is decided at once, so
that its items share the read of standings and the commit; one that may end early asks nothing
beyond its end, since every question is recorded and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from gateway.admission import RETRY_S
from gateway.city import City
from gateway.decision import Answer
from gateway.edge.authzen_asking import Asking, Ready, ScenarioWire
from gateway.edge.authzen_route import AuthZenRoute
from gateway.edge.authzen_wire import ITEMS_MAX, Evaluations, Item, LooseEvaluations, asked
from gateway.edge.body import ELIGIBILITY_BYTES, EVALUATIONS_BYTES, decode_part
from gateway.edge.problems import kind_of
from gateway.errors import (
    DependencyDown,
    GatewayError,
    Malformed,
    OutcomeUnknown,
    Overloaded,
    QuotaExceeded,
    ReducedCapacity,
    Unauthenticated,
)
from gateway.parties import Principal
from gateway.scan import Limits, check
from gateway.waiting_line import Priority
from scenarios.contract import Outcome

#: How long a batch waits for its turn, in seconds.
TURN_S = 0.25

#: Faults that are the whole request's: who asks, or whether there can be an answer now.
_OF_THE_REQUEST = (Unauthenticated, DependencyDown, Overloaded, OutcomeUnknown, QuotaExceeded)

#: The decision at which a batch of such a semantic ends.
_ENDS_AT = {"deny_on_first_deny": False, "permit_on_first_permit": True}

_ITEM = msgspec.json.Decoder(Item)
_EVALUATIONS = msgspec.json.Decoder(Evaluations)
_LOOSE = msgspec.json.Decoder(LooseEvaluations)
_encode = msgspec.json.Encoder().encode


class Fault(msgspec.Struct, frozen=True):
    """A place in the request, and what is wrong there."""

    pointer: str
    detail: str


class ItemError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an item of a batch has no answer: status, title and faults of a problem."""

    status: int
    message: str
    errors: tuple[Fault, ...] = ()


Result = tuple[ScenarioWire, Answer] | GatewayError


class EvaluationRoute(AuthZenRoute):
    """A single evaluation."""

    limit_bytes = ELIGIBILITY_BYTES

    def __init__(self, city: City) -> None:
        super().__init__(city)
        self._scenarios = {name: ScenarioWire(city.registry[name]) for name in city.registry}

    async def answer(self, principal: Principal, body: bytes, received_us: int) -> bytes:
        item = self.decoded(body, _ITEM)
        return await self._one(self._asking(principal, received_us), item)

    def _asking(self, principal: Principal, received_us: int) -> Asking:
        return Asking(self.city, self._scenarios, principal, received_us)

    async def _one(self, asking: Asking, item: Item) -> bytes:
        ready = asking.ready(asked(item))
        return ready.scenario.answered(await self.city.decisions.decide(ready.question))


class EvaluationsRoute(EvaluationRoute):
    """Several evaluations; without any, the same as a single one."""

    limit_bytes = EVALUATIONS_BYTES
    urgency = Priority.BATCH
    limits = Limits(members=4096)

    def __init__(self, city: City) -> None:
        super().__init__(city)
        # A batch has one room at the door and a hundred questions behind it: so many batches at a
        # time that they fill a quarter of the waiting line, and single questions still come in.
        self._turns = asyncio.Semaphore(max(1, city.settings.waiting_max // (4 * ITEMS_MAX)))

    async def answer(self, principal: Principal, body: bytes, received_us: int) -> bytes:
        try:
            async with asyncio.timeout(TURN_S):
                await self._turns.acquire()
        except TimeoutError:
            raise ReducedCapacity(RETRY_S) from None
        try:
            return await self._evaluated(principal, body, received_us)
        finally:
            self._turns.release()

    async def _evaluated(self, principal: Principal, body: bytes, received_us: int) -> bytes:
        batch, items = self._items(body)
        asking = self._asking(principal, received_us)
        if not items:
            return await self._one(asking, batch)
        prepared = _prepared(asking, batch, items)
        ends_at = _ENDS_AT.get(batch.options.evaluations_semantic)
        if ends_at is None:
            results = await self._together(list(prepared))
        else:
            results = await self._in_turn(prepared, ends_at)
        _raise_unanswered(results)
        return b'{"evaluations":[%b]}' % b",".join(map(_result, results))

    def _items(
        self, body: bytes
    ) -> tuple[Evaluations | LooseEvaluations, Sequence[Item | Malformed]]:
        check(body, self.limits)  # once: for a body that is not as it should be it is not cheap
        try:
            batch = decode_part(body, _EVALUATIONS, "")
        except Malformed:
            # Perhaps a fault of one item alone, which is told in that item's place.
            loose = decode_part(body, _LOOSE, "")
            return loose, [_item(raw, place) for place, raw in enumerate(loose.evaluations)]
        return batch, batch.evaluations

    async def _together(self, prepared: Sequence[Ready | GatewayError]) -> list[Result]:
        questions = [each.question for each in prepared if isinstance(each, Ready)]
        answers = iter(await self.city.decisions.decide_many(questions))
        return [
            _beside(each, next(answers)) if isinstance(each, Ready) else each for each in prepared
        ]

    async def _in_turn(
        self, prepared: Iterator[Ready | GatewayError], ends_at: bool
    ) -> list[Result]:
        results: list[Result] = []
        for each in prepared:
            results += await self._together([each])
            if _permits(results[-1]) is ends_at:
                break
        return results


def _item(raw: msgspec.Raw, place: int) -> Item | Malformed:
    try:
        return decode_part(raw, _ITEM, f"/evaluations/{place}")
    except Malformed as fault:
        return fault


def _prepared(
    asking: Asking, default: Item, items: Sequence[Item | Malformed]
) -> Iterator[Ready | GatewayError]:
    for place, item in enumerate(items):
        if isinstance(item, Malformed):
            yield item
            continue
        try:
            ready = asking.ready(asked(item, default, f"/evaluations/{place}"))
        except GatewayError as fault:
            yield fault
        else:
            yield ready


def _beside(ready: Ready, answer: Answer | GatewayError) -> Result:
    return answer if isinstance(answer, GatewayError) else (ready.scenario, answer)


def _permits(result: Result) -> bool:
    return not isinstance(result, GatewayError) and result[1].outcome is Outcome.ELIGIBLE


def _raise_unanswered(results: Sequence[Result]) -> None:
    """Where nothing was answered, a fault of the whole request is told as one."""
    if all(isinstance(result, GatewayError) for result in results):
        for result in results:
            if isinstance(result, _OF_THE_REQUEST):
                raise result


def _result(result: Result) -> bytes:
    if not isinstance(result, GatewayError):
        scenario, answer = result
        return scenario.answered(answer)
    kind = kind_of(result)
    pointers = result.pointers if isinstance(result, Malformed) else ()
    error = ItemError(kind.status, kind.title, tuple(Fault(*pair) for pair in pointers))
    return _encode({"decision": False, "context": {"error": error}})
