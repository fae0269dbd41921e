"""Parties come, stop, return and change their keys: the operator's acts, as the database's owner.

Every act is one transaction, and in force at every worker when it returns: it moves the party's
revision, which each commit and each token request compares. A party's form is data (TOML), so
that a city's parties can be kept in a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

import asyncpg
import msgspec

from gateway.errors import GatewayError
from gateway.gcra import BURST_MAX, RATE_MAX
from gateway.jwk import JwkRefused, parse_jwk, public_jwk
from gateway.settings import is_loopback
from gateway.store import party as rows
from gateway.store.migrate import Connection

#: The longest time that an old key may live beside its successor: a day.
MAX_OVERLAP_S: Final = 86_400

Id = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OnboardingRefused(GatewayError):
    """An act on a party cannot be done; the message names the party and the cause."""


class EntityForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A legal entity: a recipient of answers in the sense of PIPL 23, as citizens read it."""

    id: Id
    name: Text
    contact: Text
    promise: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """Its own public commitment, shown to citizens."""


class PartyForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party: one program that asks, of one legal entity."""

    id: Id
    """Its OAuth client id."""
    entity: Id
    kind: Literal["merchant", "hospital", "library", "community", "city"]
    name: Text
    scenarios: dict[str, Id]
    """Scenario → the legal entity that receives the answers: its own, or the operator that it
    acts for (PIPL 21)."""
    keys: list[dict[str, Any]] = []
    """Public JWKs: EC P-256 or Ed25519."""
    city: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{6}\Z")] | None = None
    """GB/T 2260 code, of a partner city only."""
    community: Text | None = None
    dpop: bool = False
    """Whether its tokens must be bound to a key of its own (RFC 9449)."""
    """The community's code, of a community only."""
    webhook_url: Text | None = None


class PartyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of parties (`[[party]]`) and of the legal entities behind them (`[[entity]]`)."""

    entity: list[EntityForm] = []
    party: list[PartyForm] = []


def read_parties(raw: bytes) -> PartyFile:
    """The parties that a TOML text describes.

    Raises:
        OnboardingRefused: it is not TOML, or not a file of parties; the message says where.
    """
    try:
        return msgspec.convert(tomllib.loads(raw.decode()), PartyFile)
    except (ValueError, msgspec.ValidationError) as fault:  # not UTF-8, not TOML, not parties
        raise OnboardingRefused(f"not a file of parties: {fault}") from None


async def add(connection: Connection, file: PartyFile, scenarios: Collection[str]) -> None:
    """Register all of a file, or nothing. Legal entities that exist are brought up to date.

    `scenarios` are those that the gateway serves.

    Raises:
        OnboardingRefused: a form contradicts itself, or what is registered already.
    """
    keys = {form.id: _checked(form, scenarios) for form in file.party}
    async with connection.transaction():
        for entity in file.entity:
            await rows.put_entity(
                connection,
                entity.id,
                name=entity.name,
                contact=entity.contact,
                promise=entity.promise,
            )
        for form in file.party:
            await _add_one(connection, form, keys[form.id])


async def suspend(connection: Connection, party: str) -> None:
    """End a party's right to ask; its tokens never come back.

    Raises:
        OnboardingRefused: there is no such party, or it is not active.
    """
    async with connection.transaction():
        await rows.suspend(connection, await _found(connection, party, status="active"))


async def resume(connection: Connection, party: str) -> None:
    """Let a suspended party ask again, with new tokens.

    Raises:
        OnboardingRefused: there is no such party, or it is not suspended.
    """
    async with connection.transaction():
        await rows.resume(connection, await _found(connection, party, status="suspended"))


async def rotate_key(connection: Connection, party: str, jwk: bytes, *, overlap_s: int = 0) -> str:
    """Give a party a new public key and end all others; returns the new key's id.

    With an overlap the others stay good for so many seconds, for a party that cannot change all
    its machines at once. Without one they, and every token that they bought, end here: for a key
    that is lost.

    Raises:
        OnboardingRefused: no such party, a key that is not acceptable or was its before, or an
            overlap of more than a day.
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        raise OnboardingRefused(f"an overlap is 0 to {MAX_OVERLAP_S} seconds")
    kid, public = _key(party, jwk)
    async with connection.transaction():
        num = await _found(connection, party)
        await _add_key(connection, party, num, kid, public)
        await rows.end_other_keys(connection, num, kid, overlap_s)
    return kid


async def limit(connection: Connection, party: str, rate: tuple[int, int] | None) -> None:
    """Set how much a party may ask, a second for ever and at once; None leaves it to the settings.

    Raises:
        OnboardingRefused: no such party, or a rate that is none.
    """
    per_s, burst = rate or (None, None)
    if rate is not None and not 1 <= rate[0] <= min(RATE_MAX, rate[1]) <= rate[1] <= BURST_MAX:
        raise OnboardingRefused(
            f"a rate is 1 to {RATE_MAX} a second, a burst at least that and at most {BURST_MAX}"
        )
    async with connection.transaction():
        await rows.limit(connection, await _found(connection, party), per_s, burst)


async def bind(connection: Connection, party: str, dpop: bool) -> None:
    """Say whether a party's tokens must be bound to a key of its own (RFC 9449).

    Where they must be, the Bearer tokens that it holds end here.

    Raises:
        OnboardingRefused: there is no such party.
    """
    async with connection.transaction():
        await rows.bind(connection, await _found(connection, party), dpop)


def _checked(form: PartyForm, scenarios: Collection[str]) -> dict[str, str]:
    """The form's public keys by id, if the form is in order."""
    if not form.keys:
        raise OnboardingRefused(f"{form.id}: without a key it could never authenticate")
    for scenario in form.scenarios:
        if scenario not in scenarios:
            served = ", ".join(sorted(scenarios))
            raise OnboardingRefused(f"{form.id}: no scenario {scenario!r}; there are: {served}")
    for kind, value in (("city", form.city), ("community", form.community)):
        if (form.kind == kind) != (value is not None):
            raise OnboardingRefused(f"{form.id}: {kind} is for the kind {kind!r}, and needed there")
    if form.webhook_url is not None and not _is_safe(form.webhook_url):
        raise OnboardingRefused(f"{form.id}: webhook_url must be an https address")
    keys = [_key(form.id, msgspec.json.encode(key)) for key in form.keys]
    if len(dict(keys)) != len(keys):
        raise OnboardingRefused(f"{form.id}: two keys with one kid")
    return dict(keys)


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or (url.startswith("http://") and is_loopback(url))


def _key(party: str, jwk: bytes) -> tuple[str, str]:
    """The id of a public key and the one form in which it is kept."""
    try:
        key = parse_jwk(jwk)
    except JwkRefused as fault:
        raise OnboardingRefused(f"{party}: the key is {fault}") from None
    return key.kid, msgspec.json.encode(public_jwk(key)).decode()


async def _add_one(connection: Connection, form: PartyForm, keys: dict[str, str]) -> None:
    try:
        num = await rows.add(
            connection,
            form.id,
            entity=form.entity,
            kind=form.kind,
            name=form.name,
            city=form.city,
            community=form.community,
            webhook_url=form.webhook_url,
            dpop=form.dpop,
        )
        for scenario, recipient in form.scenarios.items():
            await rows.add_scenario(connection, num, scenario, recipient)
    except asyncpg.UniqueViolationError:
        raise OnboardingRefused(f"{form.id}: a party of this id exists") from None
    except asyncpg.ForeignKeyViolationError:
        raise OnboardingRefused(f"{form.id}: it names a legal entity that is unknown") from None
    for kid, public in keys.items():
        await _add_key(connection, form.id, num, kid, public)


async def _add_key(connection: Connection, party: str, num: int, kid: str, public: str) -> None:
    try:
        await rows.add_key(connection, num, kid, public)
    except asyncpg.UniqueViolationError:
        # A retired key may be retired because it is known to others.
        raise OnboardingRefused(f"{party}: the key id {kid!r} was in use before") from None


async def _found(connection: Connection, party: str, *, status: str | None = None) -> int:
    """The number of a party, locked, if it has this status."""
    found = await rows.find(connection, party)
    if found is None:
        raise OnboardingRefused(f"{party}: no such party")
    num, present = found
    if status is not None and present != status:
        raise OnboardingRefused(f"{party}: it is {present}")
    return num
