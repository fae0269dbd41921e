"""Citizens: read a request, grant or decline it, and keep every consent in hand afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339, to_us
from gateway.consent_notice import Receiver, Told, Words, notice, title_of
from gateway.consent_rules import state
from gateway.consents import Terms
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.body import check_media_type, decode
from gateway.edge.idempotency import act_of
from gateway.errors import NotFound
from gateway.store.consent import Consent, HeldConsent, ShownRequest, Version

Moment = Annotated[datetime, Meta(tz=True)]
Often = Annotated[int, Meta(ge=1, le=1000)]
Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Token = Annotated[str, PathParameter(min_length=43, max_length=43)]

#: The citizen's own routes of requests, each by its token.
REQUESTS = "/v1/me/consent-requests"
_CONSENTS = "/v1/me/consents"


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent to the text whose hash was shown; `frequency` (a day) and `until` narrow it."""

    text_sha256: Hash
    frequency: Often | None = None
    until: Moment | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pause, until an instant or until resumed."""

    until: Moment | None = None


_PAUSE = msgspec.json.Decoder(Pause)


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many questions a day at most; null = as many as the scenario allows."""

    frequency: Often | None


class AtDesk(msgspec.Struct, frozen=True):
    """Where the citizen is asked: the number and place of a party's desk or device."""

    number: str
    place: str


class AlsoAsking(msgspec.Struct, frozen=True):
    """Other parties that act for the recipient in this scenario: a grant is open to them too.

    `more` counts those that `names` leaves out.
    """

    names: tuple[str, ...]
    more: int


class ShownConsentRequest(Told, frozen=True, kw_only=True):
    """A request as its citizen sees it: exactly what, to whom, in which words."""

    id: UUID
    status: str
    expires_at: str
    also_asking: AlsoAsking
    desk: AtDesk | None
    scenario: str
    longest_until: str
    frequency_per_day: int | None
    returns_to: str | None
    """The host that the citizen is sent back to."""
    own_initiative: bool
    """The citizen began this and nobody asked; a party never learns of it unless it is granted."""
    return_uri: str | None
    grant: str | None
    """Where a grant is posted; null once the request is decided or over. `decline` likewise."""
    decline: str | None


class ConsentState(msgspec.Struct, frozen=True, kw_only=True):
    """A consent as it is now."""

    id: UUID
    version: int
    status: str
    scenario: str
    purpose: str
    since: str
    until: str
    frequency: int | None
    paused_until: str | None
    changed_at: str


class ConsentView(ConsentState, frozen=True, kw_only=True):
    """A consent as it is now, with its recipient, its text and today's use."""

    recipient: Receiver
    title: Words
    fields: tuple[str, ...]
    text_version: str
    text_sha256: str
    answered_today: int


class ConsentList(msgspec.Struct, frozen=True):
    """Every consent of the citizen, the last changed first."""

    consents: list[ConsentView]


class ConsentVersion(msgspec.Struct, frozen=True):
    """One act in a consent's history."""

    version: int
    status: str
    since: str
    until: str
    frequency: int | None
    paused_until: str | None
    text_version: str
    text_sha256: str
    at: str
    staff: str | None
    """Who recorded it at a counter, and where (`place`); null = the citizen's own act."""
    place: str | None


class ConsentHistory(msgspec.Struct, frozen=True):
    """Every version of a consent, oldest first."""

    versions: list[ConsentVersion]


class RequestList(msgspec.Struct, frozen=True):
    """The open requests that ask this citizen in person."""

    requests: list[ShownConsentRequest]


class Decision(msgspec.Struct, frozen=True):
    """What became of the request."""

    id: UUID
    status: str


@get(REQUESTS + "/{token:str}", opt={ACCESS: Access.CITIZEN})
async def show(request: Request[Any, Any, Any], token: Token) -> ShownConsentRequest:
    """The request behind a link: the last part of its path is the token."""
    city = city_of(request)
    return await _shown(city, await city.consent_requests.shown(token, citizen_of(request)))


@get(REQUESTS, opt={ACCESS: Access.CITIZEN})
async def waiting(request: Request[Any, Any, Any]) -> RequestList:
    """What the citizen is asked in person just now."""
    city = city_of(request)
    found = await city.consent_requests.waiting_for(citizen_of(request))
    return RequestList([await _shown(city, each) for each in found])


@post(REQUESTS + "/{token:str}/grant", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def grant(
    request: Request[Any, Any, Any], token: Token, data: JSONBody[Grant]
) -> ConsentState:
    """Consent, on the terms shown or narrower ones."""
    city, citizen = city_of(request), citizen_of(request)
    terms = Terms(
        text_sha256=data.text_sha256,
        frequency=data.frequency,
        until_us=to_us(data.until) if data.until else None,
    )
    asked = city.consent_requests.resolve(token)
    act = await act_of(request, citizen)
    return _state(await city.consents.grant(citizen, asked, terms, act))


@post(REQUESTS + "/{token:str}/decline", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def decline(request: Request[Any, Any, Any], token: Token) -> Decision:
    """Decline; nothing else follows."""
    city, citizen = city_of(request), citizen_of(request)
    asked = city.consent_requests.resolve(token)
    act = await act_of(request, citizen, required=False)
    declined = await city.consents.decline(citizen, asked, act)
    return Decision(declined.request, "declined")


@get(_CONSENTS, opt={ACCESS: Access.CITIZEN})
async def held(request: Request[Any, Any, Any]) -> ConsentList:
    """Every consent of the citizen."""
    city = city_of(request)
    consents, answers = await city.consents.held(citizen_of(request))
    return ConsentList([_view(city, each, answers.get(each.consent.id, 0)) for each in consents])


@get(_CONSENTS + "/{consent:uuid}", opt={ACCESS: Access.CITIZEN})
async def history(request: Request[Any, Any, Any], consent: FromPath[UUID]) -> ConsentHistory:
    """How a consent came to be what it is."""
    versions = await city_of(request).consents.history(citizen_of(request), consent)
    return ConsentHistory([_version(each) for each in versions])


# Pausing, resuming and withdrawing are the same however often they are sent, so a key is taken
# where one comes and asked for where none does: taking a consent back must not be hard (PIPL 15).


@post(_CONSENTS + "/{consent:uuid}/pause", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def pause(request: Request[Any, Any, Any], consent: FromPath[UUID]) -> ConsentState:
    """No answers for a while. The body `{until?}` may be left out."""
    city, citizen = city_of(request), citizen_of(request)
    until = (await _pause(request)).until
    act = await act_of(request, citizen, required=False)
    until_us = to_us(until) if until else None
    return _state(await city.consents.pause(citizen, consent, until_us, act))


@post(_CONSENTS + "/{consent:uuid}/resume", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def resume(request: Request[Any, Any, Any], consent: FromPath[UUID]) -> ConsentState:
    """Answers again, on the same terms."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen, required=False)
    return _state(await city.consents.resume(citizen, consent, act))


@post(_CONSENTS + "/{consent:uuid}/withdraw", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def withdraw(request: Request[Any, Any, Any], consent: FromPath[UUID]) -> ConsentState:
    """Withdraw; binds every question that starts after the answer to this."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen, required=False)
    return _state(await city.consents.withdraw(citizen, consent, act))


@post(_CONSENTS + "/{consent:uuid}/frequency", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def limit(
    request: Request[Any, Any, Any], consent: FromPath[UUID], data: JSONBody[Limit]
) -> ConsentState:
    """Change how many questions a day the consent answers."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen, required=False)
    return _state(await city.consents.limit(citizen, consent, data.frequency, act))


async def _pause(request: Request[Any, Any, Any]) -> Pause:
    body = await request.body()
    if not body:
        return Pause()
    check_media_type(request.scope)
    return decode(body, _PAUSE)


async def _shown(city: City, shown: ShownRequest) -> ShownConsentRequest:
    compiled = city.registry.get(shown.scenario)
    if compiled is None:
        raise NotFound  # the scenario has gone since
    words = notice(city.settings, compiled, shown, city.clock.now_us())
    path = f"{REQUESTS}/{city.consent_requests.token(shown.id)}"
    is_open = shown.status == "pending" and not shown.over
    peers = await city.consent_requests.peers(shown.id)
    return ShownConsentRequest(
        **words.told(),
        scenario=words.scenario,
        frequency_per_day=words.frequency_per_day,
        id=shown.id,
        status="expired" if shown.over else shown.status,
        expires_at=rfc3339(shown.expires_us),
        longest_until=rfc3339(words.longest_until_us),
        also_asking=AlsoAsking(peers.names, peers.more),
        desk=AtDesk(shown.desk, shown.place) if shown.desk and shown.place else None,
        returns_to=urlsplit(shown.return_uri).netloc if shown.return_uri else None,
        return_uri=shown.return_uri,
        own_initiative=shown.own,
        grant=f"{path}/grant" if is_open else None,
        decline=f"{path}/decline" if is_open else None,
    )


def _state(consent: Consent) -> ConsentState:
    return ConsentState(**_plain(consent))


def _view(city: City, held: HeldConsent, answered_today: int) -> ConsentView:
    consent = held.consent
    return ConsentView(
        **_plain(consent),
        recipient=Receiver(held.recipient_name, held.recipient_contact, held.recipient_promise),
        title=title_of(city.registry, consent.scenario),
        fields=tuple(consent.fields),
        text_version=consent.text_version,
        text_sha256=consent.text_sha256.hex(),
        answered_today=answered_today,
    )


def _plain(consent: Consent) -> dict[str, Any]:
    status = state(consent)
    return {
        "id": consent.id,
        "version": consent.version,
        "status": status,
        "scenario": consent.scenario,
        "purpose": consent.purpose,
        "since": rfc3339(consent.from_us),
        "until": rfc3339(consent.to_us),
        "frequency": consent.frequency,
        "paused_until": _moment(consent.paused_until_us) if status == "paused" else None,
        "changed_at": rfc3339(consent.at_us),
    }


def _version(version: Version) -> ConsentVersion:
    return ConsentVersion(
        version=version.version,
        status=version.status,
        since=rfc3339(version.from_us),
        until=rfc3339(version.to_us),
        frequency=version.frequency,
        paused_until=_moment(version.paused_until_us),
        text_version=version.text_version,
        text_sha256=version.text_sha256.hex(),
        at=rfc3339(version.at_us),
        staff=version.staff,
        place=version.place,
    )


def _moment(moment_us: int | None) -> str | None:
    return rfc3339(moment_us) if moment_us is not None else None


HANDLERS: list[HTTPRouteHandler] = [
    *(show, waiting, grant, decline),
    *(held, history, pause, resume, withdraw, limit),
]
