"""Staff of parties: what may be asked, asking, and what was asked today."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339
from gateway.counter.questions import Answered, Asked, Result, Waiting
from gateway.counter.sessions import Clerk
from gateway.counter.tickets import CHARS_MAX
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.answer import Wire
from gateway.edge.body import decode_part, decoder_for
from gateway.edge.credit_codes import Code
from gateway.edge.idempotency import HEADER
from gateway.edge.stills import StillOperation, read_still
from gateway.edge.wire import Label, ScenarioId
from gateway.errors import Malformed, NotFound
from gateway.idempotency import Act, act, clerk_key, parse_key
from gateway.keys import b64url
from scenarios.compiler import Compiled
from scenarios.manifest import FactSpec, Text

Handle = Annotated[str, Meta(min_length=1, max_length=CHARS_MAX, pattern=r"\A[A-Za-z0-9_-]+\Z")]

_encode = msgspec.json.Encoder().encode


class FactField(msgspec.Struct, frozen=True, kw_only=True):
    """One fact to fill in; `value` is what it must be at this party, where there is no choice."""

    name: str
    unit: str
    zh: str
    en: str
    min: int | None
    max: int | None
    max_length: int | None
    optional: bool
    value: str | None


class CounterScenario(msgspec.Struct, frozen=True):
    """A scenario that this party may ask about, and what it needs to know."""

    id: str
    title: Text
    facts: list[FactField]


class CounterScenarios(msgspec.Struct, frozen=True):
    """All of them."""

    scenarios: list[CounterScenario]


class CounterAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question; about whom is said by a code that the citizen shows, or by the handle that an
    earlier answer gave."""

    scenario: ScenarioId
    facts: dict[str, str | int | bool | None]
    code: Code | None = None
    person: Handle | None = None
    reference: Label | None = None


class CounterObligation(msgspec.Struct, frozen=True):
    """What the party owes the citizen with the benefit."""

    id: str
    zh: str
    en: str


class CounterAnswer(msgspec.Struct, frozen=True, tag_field="status", tag="answered", kw_only=True):
    """The answer, as the party's programs get it; `person` asks again about the same citizen."""

    decision_id: UUID
    outcome: str
    obligations: list[CounterObligation]
    valid_until: str
    receipt: str
    person: str


class CounterWaiting(msgspec.Struct, frozen=True, tag_field="status", tag="waiting"):
    """The citizen's app asks for a consent; the same question with `person` asks again."""

    person: str
    expires_at: str


class CounterClosed(msgspec.Struct, frozen=True, tag_field="status", tag="not_consented"):
    """The citizen did not consent: the ordinary way. Nothing was asked or recorded."""


class StillCode(msgspec.Struct, frozen=True):
    """The citizen's code on a still; `found` says whether there was any code at all."""

    code: str | None
    found: bool


@get("/v1/counter/scenarios", opt={ACCESS: Access.STAFF}, sync_to_thread=False)
def scenarios(request: Request[Any, Any, Any]) -> CounterScenarios:
    """What the party may ask about."""
    return CounterScenarios(scenarios_of(city_of(request), clerk_of(request)))


@post("/v1/counter/questions", opt={ACCESS: Access.STAFF}, status_code=200)
async def ask(
    request: Request[Any, Any, Any], data: JSONBody[CounterAsk]
) -> CounterAnswer | CounterWaiting | CounterClosed:
    """Ask about the citizen in front of the counter."""
    city, clerk = city_of(request), clerk_of(request)
    if (data.code is None) == (data.person is None):
        raise Malformed([("", "either a code or a person")])
    compiled = city.registry.get(data.scenario)
    if compiled is None:
        raise NotFound
    facts = decode_part(_encode(data.facts), decoder_for(compiled.facts_type), "/facts")
    asked = Asked(
        scenario=compiled,
        facts=facts,
        facts_json=_encode(facts),
        stock=Wire(compiled).shelf(facts),
        reference=data.reference,
        code=data.code,
        handle=data.person,
        act=await _act(request, clerk),
    )
    return _told(compiled, await city.counter_questions.ask(clerk, asked))


@post(
    "/v1/counter/stills",
    opt={ACCESS: Access.STAFF},
    status_code=200,
    operation_class=StillOperation,
)
async def still(request: Request[Any, Any, Any]) -> StillCode:
    """Read the citizen's code from a picture of the camera. Nothing of it is kept."""
    text = await read_still(request)
    code = text if text is not None and _is_code(text) else None
    return StillCode(code, found=text is not None)


def scenarios_of(city: City, clerk: Clerk) -> list[CounterScenario]:
    """The scenarios of a party that this worker answers in."""
    found = [city.registry.get(name) for name in sorted(clerk.party.registrations)]
    return [
        CounterScenario(
            each.id,
            each.manifest.title,
            [_field(fact, clerk) for fact in each.manifest.facts],
        )
        for each in found
        if each is not None
    ]


def _field(fact: FactSpec, clerk: Clerk) -> FactField:
    party = clerk.party.row
    return FactField(
        name=fact.name,
        unit=fact.unit.value,
        zh=fact.zh,
        en=fact.en,
        min=fact.min,
        max=fact.max,
        max_length=fact.max_length,
        optional=fact.optional,
        value={"community": party.community, "city": party.city}.get(fact.unit.value),
    )


def _told(compiled: Compiled, result: Result) -> CounterAnswer | CounterWaiting | CounterClosed:
    match result:
        case Answered(answer=answer, handle=handle):
            return CounterAnswer(
                decision_id=answer.decision,
                outcome=answer.outcome.wire,
                obligations=[
                    CounterObligation(each.id, each.zh, each.en)
                    for each in compiled.manifest.obligations
                ],
                valid_until=rfc3339(answer.valid_until_us),
                receipt=b64url(answer.receipt),
                person=handle,
            )
        case Waiting(handle=handle, expires_us=expires_us):
            return CounterWaiting(handle, rfc3339(expires_us))
    return CounterClosed()


def _is_code(text: str) -> bool:
    try:
        msgspec.convert(text, Code)
    except msgspec.ValidationError:
        return False
    return True


async def _act(request: Request[Any, Any, Any], clerk: Clerk) -> Act:
    field = request.headers.get(HEADER)
    if field is None:
        raise Malformed([("", "this write needs an Idempotency-Key header field")])
    body = await request.body()
    # The session's own: a used code and its old key say nothing to a session that begins later.
    caller = f"{clerk_key(clerk.id)}:{clerk.session.hex()}"
    return act(caller, parse_key(field), request.method, request.scope["path"], body)


HANDLERS: list[HTTPRouteHandler] = [scenarios, ask, still]
