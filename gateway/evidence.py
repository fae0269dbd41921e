"""The canonical bytes of a decision: what a receipt is the hash of.

The receipt is SHA-256 over `head` (below), then the instant of the commit and the end of
validity as big-endian 64-bit microseconds, which only the committing statement knows and
appends. All of it is made of the row's own columns, so that anyone who holds the row can make
the receipt again, and of no personal data: the citizen is a random key, the facts a keyed hash.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import date
from functools import lru_cache
from uuid import UUID

import msgspec

# The commit statement reads the columns back out of these bytes by their places
# (gateway/store/decision.sql): whoever changes the one changes the other.
_FORMAT = b"qjf-decision/1\n"
# received, party, party revision, policy, standing version, consent version, outcome, clauses,
# since, until, score as of (proleptic day number, 0 = none)
_NUMBERS = struct.Struct(">qiqiqiBQqqI")
_NO_ID = bytes(16)


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The columns of a decision that are known before its commit."""

    id: UUID
    received_us: int
    party: int
    party_revision: int
    policy: int
    citizen: UUID
    standing_version: int
    consent: UUID | None
    consent_version: int | None
    outcome: int
    clauses: int
    since_us: int
    until_us: int
    score_as_of: date | None
    facts_hash: bytes
    staff: str | None
    reference: str | None
    repeat_of: UUID | None


def head(record: Record) -> bytes:
    """The canonical bytes of a record, but for the two instants that its commit appends."""
    numbers = _NUMBERS.pack(
        record.received_us,
        record.party,
        record.party_revision,
        record.policy,
        record.standing_version,
        record.consent_version or 0,
        record.outcome,
        record.clauses,
        record.since_us,
        record.until_us,
        record.score_as_of.toordinal() if record.score_as_of else 0,
    )
    return b"".join(
        (
            _FORMAT,
            record.id.bytes,
            record.citizen.bytes,
            record.consent.bytes if record.consent else _NO_ID,
            record.repeat_of.bytes if record.repeat_of else _NO_ID,
            numbers,
            _text(record.facts_hash),
            _text(record.staff.encode() if record.staff is not None else None),
            _text(record.reference.encode() if record.reference is not None else None),
        )
    )


def receipt(record: Record, at_us: int, valid_until_us: int) -> bytes:
    """The receipt of a committed record: what its row must hold, and its answer must carry."""
    return hashlib.sha256(head(record) + struct.pack(">qq", at_us, valid_until_us)).digest()


def facts_hash(key: bytes, sector: int, scenario: str, facts: bytes) -> bytes:
    """A keyed 128-bit hash (BLAKE2b, RFC 7693), comparable for one recipient and scenario only."""
    label = b"%d/%b\n" % (sector, scenario.encode("ascii"))
    seal = _keyed(key).copy()
    seal.update(label + facts)
    return seal.digest()


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16, key=key)


def _text(raw: bytes | None) -> bytes:
    """Length-prefixed, and absent is not empty."""
    return b"\xff\xff" if raw is None else len(raw).to_bytes(2, "big") + raw
