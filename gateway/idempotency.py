"""The same write sent twice happens once (draft-ietf-httpapi-idempotency-key-header).

A key is claimed in the very transaction of the write that it names, so there is no moment at which
one exists without the other: a write that fails or is lost frees its key, and one that commits
has its answer stored with it. The key belongs to one caller and stands for one method, path and
body; answers are kept for 24 hours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import msgspec

from gateway.errors import IdempotencyMismatch, Malformed, StillRunning
from gateway.store import idempotency as rows
from gateway.store.database import Connection

T = TypeVar("T")

#: How long an answer is found again.
KEPT_HOURS = 24

#: A string of RFC 8941 3.3.3: printable ASCII in quotation marks, `"` and `\` escaped.
_STRING = re.compile(r'\A"((?:[ !#-\[\]-~]|\\["\\]){1,255})"\Z')


class Act(msgspec.Struct, frozen=True):
    """One caller's intention to write once: whose key, which, and the hash of what is asked."""

    principal: str
    key: str
    body_hash: bytes


def act(principal: str, key: str, method: str, path: str, body: bytes) -> Act:
    """The act of a request; the hash covers the method, the path and the whole body."""
    head = f"{method}\n{path}\n".encode()
    return Act(principal, key, hashlib.sha256(head + body).digest())


def keyed_act(secret: bytes, principal: str, key: str, method: str, path: str, body: bytes) -> Act:
    """`act` for a body with an identity number in it, which a plain hash would let be guessed."""
    head = f"idempotency\n{method}\n{path}\n".encode()
    return Act(principal, key, hmac.digest(secret, head + body, "sha256"))


def party_key(num: int) -> str:
    """The caller's part of a party's keys."""
    return f"party:{num}"


def citizen_key(citizen: UUID) -> str:
    """The caller's part of a citizen's keys: a hash, so that the table names nobody."""
    return f"citizen:{hashlib.sha256(b'idempotency/' + citizen.bytes).hexdigest()[:32]}"


def clerk_key(staff: UUID) -> str:
    """The caller's part of the keys of a member of a party's staff."""
    return f"staff:{staff}"


def parse_key(field: str) -> str:
    """The key of an `Idempotency-Key` header field.

    Raises:
        Malformed: it is not a structured-field string of 1 to 255 characters.
    """
    match = _STRING.match(field.strip(" "))
    if match is None:
        raise Malformed([("", 'the Idempotency-Key field must be a quoted string, "like-this"')])
    return re.sub(r"\\(.)", r"\1", match[1])


async def once(
    connection: Connection,
    act: Act | None,
    kind: type[T],
    work: Callable[[], Awaitable[T]],
    *,
    status: int = 200,
) -> T:
    """Do `work` unless it was done before under this key; then its answer as it was.

    Call it inside the transaction of the write, before anything else is read or changed there.
    `kind` is the type of the answer, which is stored as JSON. Without an act the work is done.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        StillRunning: the first request with this key has not ended.
    """
    if act is None:
        return await work()
    if await rows.claim(connection, act.principal, act.key, act.body_hash):
        answer = await work()
        response = msgspec.json.encode(answer)
        await rows.keep(connection, act.principal, act.key, status, response)
        return answer
    held = await rows.held(connection, act.principal, act.key)
    if held is None or held.response is None:
        raise StillRunning
    if held.body_hash != act.body_hash:
        raise IdempotencyMismatch
    return msgspec.json.decode(held.response, type=kind)
