"""The receipt of a commitment: what its record is the hash of, and a file that checks by itself.

The citizen keeps the file. Whoever holds it can make the record's hash again and verify the
signature with openssl, without this gateway and without its word for anything (电子签名法 13).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from gateway.clock import SHANGHAI, from_us
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.store.commitment import CommitmentRow
from gateway.store.device import DeviceRow
from scenarios.manifest import Text

#: What stands before a record's bytes: no hash of another kind of record can be this one's.
PREFIX: Final = "qjf-commitment/1\n"
#: The form of the file.
FORM: Final = "qjf-commitment-receipt/1"


class Evidence(msgspec.Struct, frozen=True):
    """A version of a commitment, the words it was signed under, and the device that signed."""

    row: CommitmentRow
    text: Text | None
    device: DeviceRow


class Signer(msgspec.Struct, frozen=True):
    """The signing device's public key, named by its thumbprint (RFC 7638)."""

    name: str
    kid: str
    jwk: dict[str, str]


class Check(msgspec.Struct, frozen=True):
    """How the file is checked: in words, as commands, and the program that they run."""

    zh: str
    en: str
    commands: tuple[str, ...]
    program: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The file, as JSON in one line.

    `record` is hashed as compact JSON after `record_prefix`; its times are microseconds since the
    epoch. `record_sha256` is in hex, `receipt` the same in base64url as the API shows it. `text`
    is None only for a text that was never live.
    """

    form: str = FORM
    title: Text
    towards: str | None
    status: str
    signed_at: str
    changed_at: str
    template: str
    template_version: str
    text_sha256: str
    text: Text | None
    claims: dict[str, Any]
    jws: str
    device: Signer
    record_prefix: str = PREFIX
    record: tuple[str | int | None, ...]
    record_sha256: str
    receipt: str
    check: Check


def record_of(row: CommitmentRow) -> tuple[str | int | None, ...]:
    """The members of a version's record, in the order in which they are hashed.

    Where the device and its signature would stand, a promise that staff recorded at a counter has
    the word `assisted` and the act that recorded it.
    """
    device, act = (each.hex if each else None for each in (row.device, row.assisted))
    way = (device, row.jws) if device else ("assisted", act)
    return (
        *(row.id.hex, row.version, row.citizen.hex, row.scenario, row.entity),
        *(row.template, row.template_version, row.text_sha256.hex()),
        *(*way, row.status, row.signed_us, row.at_us),
    )


def receipt(row: CommitmentRow) -> bytes:
    """SHA-256 of a version's record: whoever holds the record can make it again."""
    return hashlib.sha256(PREFIX.encode() + msgspec.json.encode(record_of(row))).digest()


def made_of(evidence: Evidence, title: Text) -> Receipt:
    """The receipt of a commitment to a scenario of this title."""
    row, device = evidence.row, evidence.device
    assert row.jws is not None, "where a device is, there is its signature"
    hashed = receipt(row)
    return Receipt(
        title=title,
        towards=row.entity_name,
        status=row.status,
        signed_at=_moment(row.signed_us),
        changed_at=_moment(row.at_us),
        template=row.template,
        template_version=row.template_version,
        text_sha256=row.text_sha256.hex(),
        text=evidence.text,
        claims=msgspec.json.decode(unb64url(row.jws.split(".")[1])),
        jws=row.jws,
        device=Signer(device.name, device.kid, msgspec.json.decode(device.jwk)),
        record=record_of(row),
        record_sha256=hashed.hex(),
        receipt=b64url(hashed),
        check=_check(),
    )


def as_json(made: Receipt) -> bytes:
    """The receipt for programs."""
    return msgspec.json.encode(made)


def as_text(made: Receipt) -> bytes:
    """The receipt for reading, with the one for programs as its last line."""
    words = _word_list()
    text = made.text or Text(zh=words["no_text_zh"], en=words["no_text_en"])
    page = words["page"].format(
        title=made.title,
        towards=made.towards or words["city"],
        status=words[made.status],
        text=text,
        made=made,
        commands="\n".join(f"    {command}" for command in made.check.commands),
    )
    return page.encode() + as_json(made) + b"\n"


@cache
def _word_list() -> dict[str, str]:
    raw = resources.files("gateway.texts").joinpath("commitment_receipt.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, str])


@cache
def _check() -> Check:
    words = _word_list()
    program = resources.files("gateway.texts").joinpath("check_receipt.py").read_text("utf-8")
    commands = tuple(words["commands"].strip().splitlines())
    return Check(words["check_zh"].strip(), words["check_en"].strip(), commands, program)


def _moment(moment_us: int) -> str:
    """An instant as people in the city read it, to the second, with its offset."""
    return from_us(moment_us).astimezone(SHANGHAI).isoformat(timespec="seconds")
