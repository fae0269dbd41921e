"""What a citizen sees and says about the own record and score."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta

from gateway.citizens import Person
from gateway.clock import rfc3339
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.edge.my_visit import VisitBrief, brief
from gateway.edge.wire import Sha256
from gateway.errors import Malformed
from gateway.notice import Item
from gateway.store.citizen import AuthorisationRow
from scoring import Explanation, Merit


class Who(msgspec.Struct, frozen=True):
    """The citizen's own record; of a visitor from another city nothing but that is known."""

    name: str
    id_number: str | None
    birthdate: date | None
    synthetic: bool
    since: str


class Authorisation(msgspec.Struct, frozen=True):
    """What the citizen said last about the score; `ask_again` where the notice is another now."""

    status: str
    notice: str | None
    text_sha256: str | None
    leave_out: tuple[str, ...]
    at: str | None
    ask_again: bool


class ScoreView(msgspec.Struct, frozen=True):
    """The score, its band and why it is so; only ever shown to its citizen."""

    score: int
    band: int
    as_of: date
    explanation: Explanation


class Me(msgspec.Struct, frozen=True):
    """Who is signed in, and what the page needs for writes."""

    who: Who
    csrf_token: str
    authorisation: Authorisation
    score: ScoreView | None
    visit: VisitBrief | None
    """Of a visitor from another city; null for the city's own citizens."""


class NoticeView(msgspec.Struct, frozen=True):
    """The notice as shown; `zh` is the binding text, `text_sha256` the hash to agree with."""

    version: str
    text_sha256: str
    zh: str
    en: str
    items: tuple[Item, ...]


class Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Giving or withdrawing the authorisation. Giving names the text that was read."""

    status: Literal["given", "withdrawn"]
    text_sha256: Sha256 | None = None
    leave_out: Annotated[tuple[Merit, ...], Meta(max_length=3)] = ()


@get("/v1/me", opt={ACCESS: Access.CITIZEN})
async def me(request: Request[Any, Any, Any]) -> Me:
    """Who am I, and what is known about me."""
    city, citizen = city_of(request), citizen_of(request)
    person = await city.citizens.person(citizen)
    said = await city.authorisations.current(citizen)
    shown = await city.authorisations.score(citizen)
    visit = await city.visiting.visits.of(citizen) if person.home is not None else None
    return Me(
        who=_who(person),
        csrf_token=city.sessions.csrf_token(request),
        authorisation=_authorisation(said, city.authorisations.notice.sha256),
        score=ScoreView(shown.score, shown.band, shown.as_of, shown.explanation) if shown else None,
        visit=brief(visit) if visit is not None else None,
    )


@get("/v1/me/notice", opt={ACCESS: Access.CITIZEN}, sync_to_thread=False)
def notice(request: Request[Any, Any, Any]) -> NoticeView:
    """What is done with my data, before it is done (PIPL 17)."""
    text = city_of(request).authorisations.notice
    return NoticeView(text.version, text.sha256.hex(), text.zh, text.en, text.items)


@post("/v1/me/score-authorisation", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def authorise(request: Request[Any, Any, Any], data: JSONBody[Word]) -> Authorisation:
    """Let the score be computed and shown, or no longer."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen)
    authorisations = city.authorisations
    if data.status == "withdrawn":
        if data.text_sha256 is not None or data.leave_out:
            raise Malformed([("/status", "a withdrawal says nothing else")])
        said = await authorisations.withdraw(citizen, act)
    else:
        if data.text_sha256 is None:
            raise Malformed([("/text_sha256", "a required member is missing")])
        left = tuple(sorted(set(data.leave_out)))
        said = await authorisations.give(citizen, bytes.fromhex(data.text_sha256), left, act)
    return _authorisation(said, authorisations.notice.sha256)


def _who(person: Person) -> Who:
    return Who(
        person.name,
        person.id_number,
        person.birthdate,
        person.synthetic,
        rfc3339(person.since_us),
    )


def _authorisation(said: AuthorisationRow | None, now_sha256: bytes) -> Authorisation:
    if said is None:
        return Authorisation("none", None, None, (), None, ask_again=True)
    return Authorisation(
        said.status,
        said.notice,
        said.text_sha256.hex(),
        said.leave_out,
        rfc3339(said.at_us),
        # Other words are another question (PIPL 14): what was given stands for the old ones.
        ask_again=said.status == "given" and said.text_sha256 != now_sha256,
    )


HANDLERS: list[HTTPRouteHandler] = [me, notice, authorise]
