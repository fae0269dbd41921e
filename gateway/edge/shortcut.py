"""The hot route without a task: from the parser to the commit and back, on callbacks.

A task, its context, an event and ASGI's messages cost a third of a decision. A question that is in
order in every respect (plain head, token seen before, whole body, room at the door) needs none of
them: it is put on its way when its last byte arrives, and its answer is written when the commit
says so. Whatever is out of the ordinary goes the long way, through the application
(gateway/edge/eligibility.py), which shares every step with this file and says what is wrong. So the
only refusals made here are those that a body, or the decision itself, brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final, Protocol

from gateway.city import City
from gateway.decision import Answer, Attempt
from gateway.edge.admission import of_party
from gateway.edge.eligibility import HEADERS, Eligibility, Wire
from gateway.edge.headers import checked_fields, harmless_id
from gateway.edge.limits import Fields
from gateway.edge.limits import fields as limit_fields
from gateway.edge.problems import INTERNAL, Headers, kind_of, log_failure, problem_bytes
from gateway.errors import ClientGone, Overloaded
from gateway.parties import Principal, Registration
from gateway.store.decision import Outcome


class Line(Protocol):
    """What a shortcut asks of its connection."""

    def reply(self, status: int, headers: Headers | Fields, body: bytes) -> None:
        """Write the answer of the request under way and go on to the next."""

    def take_long_way(self, body: bytearray) -> None:
        """Give the request under way, whose body is whole, to the application."""

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold a task, and wait for it when the worker ends."""


class _Nobody:
    """In place of an event that a reader of the body would wait for."""

    def set(self) -> None:
        """Nobody waits."""


class Shortcut:
    """One question on its way. The connection treats it as it treats its other exchanges."""

    message_event: Final = _Nobody()

    def __init__(
        self,
        worker: Shortcuts,
        line: Line,
        caller: tuple[Principal, Registration, Wire],
        echoed: Fields,
    ) -> None:
        self._worker, self._line, self._caller, self._echoed = worker, line, caller, echoed
        self._received_us, self._began = worker.city.clock.now_us(), worker.city.counts.now()
        self._attempt: Attempt | None = None
        self.body = bytearray()
        self.more_body = self.keep_alive = True
        self.disconnected = self.response_started = self.response_complete = False

    @property
    def is_whole(self) -> bool:
        """Whether the request has arrived to its last byte."""
        return not self.more_body

    def cut(self) -> None:
        """The client is gone, or what it sends cannot be read: nothing more is done for it."""
        self.disconnected = True
        if self._attempt is not None and self._attempt.future is not None:
            # If it was not sent to PostgreSQL yet, it will not be.
            self._attempt.gone = True
            self._attempt.future.cancel()

    def start(self) -> None:
        """The body is whole: put the question on its way."""
        city, (principal, registration, wire) = self._worker.city, self._caller
        if not city.admission.try_enter(of_party(principal.party.row.kind)):
            self._line.take_long_way(self.body)
            return
        try:
            question = self._worker.eligibility.question(
                principal, registration, wire, bytes(self.body), self._received_us
            )
            self._attempt = city.decisions.begin(question)
        except Exception as fault:
            self._refuse(fault)
            return
        assert self._attempt.future is not None, "set when it was begun"
        self._attempt.future.add_done_callback(self._decided)

    def _decided(self, _future: asyncio.Future[Outcome | None]) -> None:
        """The first try is done."""
        assert self._attempt is not None, "begun before it is decided"
        try:
            answer = self._worker.city.decisions.at_once(self._attempt)
        except asyncio.CancelledError:  # the client is gone, or the worker is being stopped
            self._refuse(ClientGone() if self.disconnected else Overloaded())
            return
        except Exception as fault:
            self._refuse(fault)
            return
        if answer is not None:
            self._answer(answer)
        else:
            self._line.keep(asyncio.get_running_loop().create_task(self._finish(self._attempt)))

    async def _finish(self, attempt: Attempt) -> None:
        """What the first try did not settle."""
        try:
            answer = await self._worker.city.decisions.finish(attempt)
        except Exception as fault:
            self._refuse(fault)
        else:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        principal, _, wire = self._caller
        limits = limit_fields(self._worker.city.limits.quota(principal.party))
        self._reply(200, (*HEADERS, *limits), wire.encode(answer))

    def _refuse(self, fault: Exception) -> None:
        if kind_of(fault) is INTERNAL:
            log_failure(fault)
        self._reply(*problem_bytes(fault))

    def _reply(self, status: int, headers: Headers | Fields, body: bytes) -> None:
        worker = self._worker
        worker.city.admission.leave()
        worker.eligibility.counted.answered(status, worker.city.counts.now() - self._began)
        if self.disconnected:
            return
        self.response_started = self.response_complete = True
        self._line.reply(status, (*headers, *self._echoed), body)


class Shortcuts:
    """The shortcuts of one worker.

    Args:
        hosts: the names that a request may be addressed to, in lower case.
    """

    def __init__(self, city: City, eligibility: Eligibility, hosts: Collection[bytes]) -> None:
        self.city, self.eligibility = city, eligibility
        self._hosts = frozenset(hosts)
        self._wires = {path.encode(): wire for path, wire in eligibility.wires.items()}

    def taken(
        self, line: Line, target: bytes, headers: list[tuple[bytes, bytes]]
    ) -> Shortcut | None:
        """The shortcut of a POST by HTTP/1.1 whose head was read; None for the long way."""
        wire = self._wires.get(target)
        fields = checked_fields(headers, self._hosts) if wire is not None else None
        if wire is None or not isinstance(fields, dict) or b"content-length" not in fields:
            return None
        caller = self.eligibility.known_caller(wire, fields)
        if caller is None:
            return None
        return Shortcut(self, line, (*caller, wire), harmless_id(fields))
