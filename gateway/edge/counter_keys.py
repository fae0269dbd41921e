"""Staff of parties: security keys, registered at the counter and used at the second step."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from gateway.clock import rfc3339
from gateway.counter.security_keys import CHALLENGE_LIFE_S
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.counter import begun, our_city, own_cookie, ticket_of

#: The browser's ticket of a challenge.
_CHALLENGE = "counter-challenge"


class KeyOptions(msgspec.Struct, frozen=True):
    """What the browser hands to `navigator.credentials` (WebAuthn Level 3, 5.1.8 and 5.1.9)."""

    options: dict[str, Any]


class KeyMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential that an authenticator made, as its `toJSON` says, and a name for it."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    credential: dict[str, Any]


class KeyUsed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authenticator's answer to the challenge, as its `toJSON` says."""

    credential: dict[str, Any]


class KeyView(msgspec.Struct, frozen=True):
    """A security key of one's own."""

    id: UUID
    name: str
    added_at: str


class KeyList(msgspec.Struct, frozen=True):
    """All of them; `possible` says whether this gateway's address has a name."""

    keys: list[KeyView]
    possible: bool


@get("/v1/counter/keys", opt={ACCESS: Access.STAFF})
async def keys(request: Request[Any, Any, Any]) -> KeyList:
    """The security keys of one's own."""
    return await _all(request)


@post("/v1/counter/keys/options", opt={ACCESS: Access.STAFF}, status_code=200)
async def to_register(request: Request[Any, Any, Any]) -> Response[KeyOptions]:
    """What an authenticator is to make."""
    city = city_of(request)
    options, ticket = await city.security_keys.to_register(clerk_of(request))
    return Response(
        KeyOptions(options), cookies=[own_cookie(city, _CHALLENGE, ticket, CHALLENGE_LIFE_S)]
    )


@post("/v1/counter/keys", opt={ACCESS: Access.STAFF}, status_code=201)
async def register(request: Request[Any, Any, Any], data: JSONBody[KeyMade]) -> Response[KeyList]:
    """Keep the key that an authenticator made."""
    city, clerk = city_of(request), clerk_of(request)
    ticket = ticket_of(request, _CHALLENGE)
    await city.security_keys.register(clerk, ticket, data.credential, data.name)
    return Response(await _all(request), cookies=[own_cookie(city, _CHALLENGE, "", 0)])


@post("/v1/counter/keys/{key:uuid}/removal", opt={ACCESS: Access.STAFF}, status_code=204)
async def remove(request: Request[Any, Any, Any], key: FromPath[UUID]) -> None:
    """Take one's own key away."""
    await city_of(request).security_keys.remove(clerk_of(request), key)


@post("/v1/counter/second/key/options", opt={ACCESS: Access.PUBLIC}, status_code=200)
async def to_sign_in(request: Request[Any, Any, Any]) -> Response[KeyOptions]:
    """What an authenticator is to sign at the second step."""
    city = our_city(request)
    options, ticket = await city.security_keys.to_sign_in(ticket_of(request))
    return Response(
        KeyOptions(options), cookies=[own_cookie(city, _CHALLENGE, ticket, CHALLENGE_LIFE_S)]
    )


@post("/v1/counter/second/key", opt={ACCESS: Access.PUBLIC}, status_code=204)
async def second(request: Request[Any, Any, Any], data: JSONBody[KeyUsed]) -> Response[None]:
    """The second step with a security key. A session begins."""
    city = our_city(request)
    signed_in = await city.security_keys.second(
        ticket_of(request),
        ticket_of(request, _CHALLENGE),
        data.credential,
        instead_of=request.cookies.get(city.counter_sessions.cookie),
    )
    return begun(city, signed_in)


async def _all(request: Request[Any, Any, Any]) -> KeyList:
    known = city_of(request).security_keys
    found = await known.of(clerk_of(request))
    views = [KeyView(each.id, each.name, rfc3339(each.added_us)) for each in found]
    return KeyList(views, known.are_possible)


HANDLERS: list[HTTPRouteHandler] = [keys, to_register, register, remove, to_sign_in, second]
