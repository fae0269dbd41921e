"""Desks: the places where parties meet citizens, and the codes that are printed there.

A desk's number is short and public. The address behind its printed code carries a keyed hash of the
number, so that nobody walks through the desks of a city by counting. Opening and closing desks is
the operator's, as the database's owner.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Final, Literal

import msgspec

from gateway.errors import GatewayError, NotFound
from gateway.ids import Ids
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.store import desk as rows
from gateway.store import party as party_rows
from gateway.store.migrate import Connection
from scenarios.registry import Registry

#: The page of a desk's code.
DESK_PATH: Final = "/app/desk/"

#: Characters of a desk's token: three bytes of number and sixteen of keyed hash.
TOKEN_CHARS: Final = 26

_TAG = 16
_LABEL = b"desk/"

Number = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{6}\Z")]


class DeskRefused(GatewayError):
    """A desk cannot be opened or closed; the message names it and the cause."""


class DeskForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk as an operator describes it."""

    party: str
    """The OAuth client id of the party that stands there."""
    place: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """Where it is, in words that citizens read."""
    kind: Literal["counter", "device"] = "counter"
    scenario: str | None = None
    """What its printed code asks for; a counter without one has no printed code."""
    purpose: str | None = None
    """Left out: the scenario's first."""
    number: Number | None = None
    """Left out: one is drawn."""


class DeskLinks:
    """The addresses of desks' printed codes.

    Args:
        issuer: the gateway's own address.
        key: the city's key for links.
    """

    def __init__(self, issuer: str, key: bytes) -> None:
        self._issuer, self._key = issuer, key

    def token(self, number: str) -> str:
        """The unguessable name of a desk."""
        raw = int(number).to_bytes(3, "big")
        return b64url(raw + hmac.digest(self._key, _LABEL + raw, "sha256")[:_TAG])

    def link(self, number: str) -> str:
        """What the printed code says."""
        return self._issuer + DESK_PATH + self.token(number)

    def number(self, token: str) -> str:
        """The number of a desk's token.

        Raises:
            NotFound: we did not make this token.
        """
        try:
            number = f"{int.from_bytes(unb64url(token)[:-_TAG], 'big'):06}"
        except ValueError:
            raise NotFound from None
        if len(number) != 6 or not hmac.compare_digest(self.token(number), token):
            raise NotFound
        return number

    def path_of(self, text: str) -> str | None:
        """The page of a desk whose code says this, None for any other code."""
        address, found, token = text.partition(DESK_PATH)
        if not found or address != self._issuer:
            return None
        try:
            self.number(token)
        except NotFound:
            return None
        return DESK_PATH + token


async def open_desk(connection: Connection, form: DeskForm, served: Registry, ids: Ids) -> str:
    """Open a desk; returns its number. `served` are the scenarios that the gateway serves.

    Raises:
        DeskRefused: no such party, a scenario that is not the party's, or a number that is taken.
    """
    async with connection.transaction():
        found = await party_rows.find(connection, form.party)
        if found is None:
            raise DeskRefused(f"{form.party}: no such party")
        party, purpose = found[0], _purpose(form, served)
        if form.scenario is not None and not await rows.is_registered(
            connection, party, form.scenario
        ):
            raise DeskRefused(f"{form.party}: it does not ask about {form.scenario!r}")
        for number in _numbers(form.number, ids):
            if await rows.add(
                connection,
                number,
                party,
                kind=form.kind,
                scenario=form.scenario,
                purpose=purpose,
                place=form.place,
            ):
                return number
    raise DeskRefused(f"the number {form.number} was in use before" if form.number else "no room")


async def close_desk(connection: Connection, number: str) -> None:
    """Close a desk: its codes and its number lead nowhere from now on, and never again.

    Raises:
        DeskRefused: no such desk is open.
    """
    if not await rows.close(connection, number):
        raise DeskRefused(f"{number}: no such desk is open")


def _purpose(form: DeskForm, served: Registry) -> str | None:
    if form.scenario is None:
        if form.kind == "device" or form.purpose is not None:
            raise DeskRefused(f"{form.party}: a device, or a purpose, needs a scenario")
        return None
    if form.scenario not in served:
        raise DeskRefused(f"no scenario {form.scenario!r}; there are: {', '.join(sorted(served))}")
    purposes = served[form.scenario].manifest.purposes
    purpose = form.purpose or purposes[0]
    if purpose not in purposes:
        raise DeskRefused(f"no purpose {purpose!r} of it; there are: {', '.join(purposes)}")
    return purpose


def _numbers(wanted: str | None, ids: Ids) -> list[str]:
    """The number that is wanted, or some at random, none of which begins with a nought."""
    if wanted is not None:
        return [wanted]
    drawn = (int.from_bytes(ids.random_bytes(8), "big") for _ in range(20))
    return [f"{100_000 + number % 900_000}" for number in drawn]
