"""What AuthZEN's three routes have in common: they are answered before the framework, each POST.

What the framework would do is done here, as on the hot route: method, token, media type, size,
structure, problems. A wrong content type is a 400, as the standard asks.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec
from litestar.types import HTTPScope, Receive, Send

from gateway.city import City
from gateway.edge.admission import of_party
from gateway.edge.authzen_wire import OURS, Ours
from gateway.edge.body import authzen_wrong_media, decode, decode_part, read_body
from gateway.edge.caller import caller
from gateway.edge.headers import fields_of
from gateway.edge.limits import Fields
from gateway.edge.limits import fields as limit_fields
from gateway.edge.problems import kind_of, send_problem
from gateway.errors import MethodNotAllowed
from gateway.parties import Principal
from gateway.scan import DEFAULT_LIMITS, Limits
from gateway.waiting_line import Priority

T = TypeVar("T")

_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class _Context(msgspec.Struct, frozen=True, rename={"ours": OURS}):
    ours: Ours = Ours()


_OURS_DECODER = msgspec.json.Decoder(_Context)
_NOTHING_OF_OURS = Ours()


class AuthZenRoute:
    """A route of one worker: `answer` makes the body of a 200, or raises what is the problem."""

    limit_bytes: ClassVar[int]
    limits: ClassVar[Limits] = DEFAULT_LIMITS
    #: How urgent requests are, where not the party's kind says it.
    urgency: ClassVar[Priority | None] = None

    def __init__(self, city: City) -> None:
        self.city = city
        self._counted = city.counts.route("authzen")

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = self.city.counts.now()
        try:
            answer, limits = await self._answered(scope, receive)
        except Exception as fault:
            await send_problem(send, fault)
            self._counted.answered(kind_of(fault).status, self.city.counts.now() - began)
            return
        headers = [*_HEADERS, *limits]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})
        self._counted.answered(200, self.city.counts.now() - began)

    async def _answered(self, scope: HTTPScope, receive: Receive) -> tuple[bytes, Fields]:
        city, received_us = self.city, self.city.clock.now_us()
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        principal = city.tokens.recognise(fields_of(scope).get(b"authorization"))
        if principal is None:
            principal = await caller(city, scope)
        body = await read_body(
            scope, receive, limit_bytes=self.limit_bytes, wrong_media=authzen_wrong_media
        )
        async with city.admission.room(self.urgency or of_party(principal.party.row.kind)):
            answer = await self.answer(principal, body, received_us)
        return answer, limit_fields(city.limits.quota(principal.party))

    async def answer(self, principal: Principal, body: bytes, received_us: int) -> bytes:
        """The JSON of the answer."""
        raise NotImplementedError

    def decoded(self, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
        """The request, its structure checked."""
        return decode(body, decoder, self.limits)


def ours_of(context: bytes, where: str) -> Ours:
    """What a context says in our own member; raises `Malformed` below `where`."""
    # Nearly no context has it, and decoding twice costs as much as the facts do. A name may be
    # spelled by escapes as well.
    if OURS.encode() not in context and b"\\u" not in context:
        return _NOTHING_OF_OURS
    return decode_part(context, _OURS_DECODER, where).ours
