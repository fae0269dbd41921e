"""The door in front of every route but the hot one: which kind of request it is, and its room.

The kind is read from method and path, before anything is proved: to prove a session costs a
statement of the database, which is what an overloaded city has least of. So a kind is a claim, and
an address that claims too much is the business of the proxy in front (docs/operators.md).
"""

from __future__ import annotations

from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from gateway.admission import Admission
from gateway.edge.problems import send_problem
from gateway.errors import ReducedCapacity
from gateway.oauth.metadata import AUTHORIZE_PATH, TOKEN_PATH
from gateway.recognition import status_lists
from gateway.waiting_line import Priority

#: What is never made to wait: whether we are alive, and what we say of ourselves. The token
#: endpoint asks for room by itself, once it has read what anybody may send slowly.
EXEMPT: Final = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/.well-known/", TOKEN_PATH)

#: Where citizens are, and the last words of what they take back and of what they sign.
_CITIZENS: Final = ("/v1/me", "/v1/login", "/v1/logout", "/app/", AUTHORIZE_PATH)
_TAKEN_BACK: Final = ("/withdraw", "/withdrawal", "/pause", "/revocation", "/closure")
_SIGNED: Final = (
    *("/grant", "/allow", "/decline", "/resume", "/frequency"),
    *("/v1/me/commitments", "/v1/me/commitments/drafts"),
)
#: Here other cities read what was taken back.
_STATUS: Final = f"{status_lists.PATH}/"
#: Either gives the word on the score or takes it back: which one is in the body.
_SCORE: Final = "/v1/me/score-authorisation"

#: What citizens without a phone say at a party's counter is as urgent as what others tap.
_AT_COUNTER: Final = {
    "/v1/counter/assisted/withdrawals": Priority.WITHDRAW,
    "/v1/counter/assisted/records": Priority.SIGN,
}

#: How urgent a party's questions are, by its kind.
OF_PARTY: Final = {"hospital": Priority.HOSPITAL}


def of_party(kind: str) -> Priority:
    """How urgent the questions of a kind of party are."""
    return OF_PARTY.get(kind, Priority.MERCHANT)


def of_request(scope: HTTPScope) -> Priority | None:
    """The kind of a request, None where it is exempt."""
    path = scope["path"]
    if path.startswith(EXEMPT):
        return None
    if path.startswith(_STATUS):
        return Priority.WITHDRAW
    if path.startswith(_CITIZENS):
        return _of_citizen(path) if scope["method"] == "POST" else Priority.CITIZEN
    return _AT_COUNTER.get(path, Priority.MERCHANT)


def _of_citizen(path: str) -> Priority:
    if path.endswith(_TAKEN_BACK) or path == _SCORE:
        return Priority.WITHDRAW
    return Priority.SIGN if path.endswith(_SIGNED) else Priority.CITIZEN


class Door:
    """An ASGI application around another, whose requests wait for room or get a 503."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = of_request(scope) if scope["type"] == ScopeType.HTTP else None
        if kind is None:
            await self._app(scope, receive, send)
            return
        try:
            if not self._admission.try_enter(kind):
                await self._admission.wait(kind)
        except ReducedCapacity as fault:
            await send_problem(send, fault)
            return
        room = _Room(self._admission, kind)
        try:
            await self._app(scope, room.left_while(receive), room.left_before(send))
        finally:
            room.leave_for_good()


class _Room:
    """A request's room: held while it is worked on, and never while its client is waited for.

    A client that sends its body byte by byte, or does not read its answer, would else keep others
    out for as long as it likes.
    """

    def __init__(self, admission: Admission, kind: Priority) -> None:
        self._admission, self._kind = admission, kind
        self._is_inside, self._is_done = True, False

    def left_while(self, receive: Receive) -> Receive:
        """`receive`, outside of which the request waits for room again."""

        async def receiving() -> Any:
            self._leave()
            event = await receive()
            if not self._is_done:
                if not self._admission.try_enter(self._kind):
                    await self._admission.wait(self._kind)
                self._is_inside = True
            return event

        return receiving

    def left_before(self, send: Send) -> Send:
        """`send`, at whose first event the work is done."""

        async def sending(event: Message) -> None:
            self.leave_for_good()
            await send(event)

        return sending

    def leave_for_good(self) -> None:
        """The request needs no room any more."""
        self._is_done = True
        self._leave()

    def _leave(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self._admission.leave()
