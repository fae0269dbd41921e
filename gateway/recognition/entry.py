"""A city's entry in the region's trust list: who it is, where it is called, by which keys.

Pure. An entry is checked for what it says by itself; what it says beside the others (a key that
two cities share) is the list's matter.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec

from gateway.claims import CityCode, Scenarios, SchemeName
from gateway.errors import GatewayError, Malformed
from gateway.jwk import JwkRefused, Key, parse_jwk
from gateway.scan import Limits, check
from gateway.wrong_member import in_words

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Address = Annotated[str, msgspec.Meta(min_length=8, max_length=256)]
#: An origin in its one spelling, since issuers are compared as text; and what may follow it.
_ORIGIN: Final = re.compile(r"\A(https?)://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?\Z")
_PATH: Final = re.compile(r"\A/[!-\"$->@-~]*\Z")  # neither query nor fragment
_LIMITS: Final = Limits(depth=8, members=4096, string=16 * 1024)
_KID: Final = re.compile(r"\A[!-~]{1,128}\Z")  # as a signed document may name it
#: What a city's key may sign: as a client, what it says of citizens, its status lists.
Purpose = Literal["client", "grant", "status"]


class EntryRefused(GatewayError):
    """An entry is not one that others could rely on; the message names the member and the cause."""


class _Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an entry."""


class Words(_Closed, frozen=True):
    """The same in both languages; the Chinese text is the binding one."""

    zh: Line
    en: Line


class Endpoints(_Closed, frozen=True):
    """Where other cities call this one: RFC 9126 2, RFC 6749 3.1 and 3.2."""

    par: Address
    authorize: Address
    token: Address


class CityKey(_Closed, frozen=True):
    """A public key with what it is for. `jwk` has its `kid`."""

    purpose: Purpose
    jwk: dict[str, Any]


class Operator(_Closed, frozen=True):
    """A person who signs agreements for the city."""

    name: Line
    jwk: dict[str, Any]


class Entry(_Closed, frozen=True):
    """One city of the list. `code` is GB/T 2260 and its client id; `issuer` its https origin."""

    code: CityCode
    name: Words
    contact: Line
    issuer: Address
    endpoints: Endpoints
    redirect_uris: Annotated[tuple[Address, ...], msgspec.Meta(min_length=1, max_length=8)]
    scenarios: Scenarios
    schemes: Annotated[tuple[SchemeName, ...], msgspec.Meta(min_length=1, max_length=16)]
    keys: Annotated[tuple[CityKey, ...], msgspec.Meta(min_length=3, max_length=16)]
    operators: Annotated[tuple[Operator, ...], msgspec.Meta(min_length=2, max_length=16)]


class City(msgspec.Struct, frozen=True):
    """An entry that passed, with its keys ready for use."""

    entry: Entry
    keys: dict[tuple[Purpose, str], Key]  # by purpose and kid
    operators: dict[str, Key]  # by kid

    @property
    def signers(self) -> dict[str, str]:
        """Which operator a kid belongs to, by name; one may have two keys while they change."""
        return {each.jwk["kid"]: each.name for each in self.entry.operators}


_decode = msgspec.json.Decoder(Entry, strict=True).decode


def parse_entry(raw: bytes, *, allow_loopback_http: bool = False) -> City:
    """A city's entry as JSON, checked by itself.

    Raises:
        EntryRefused: it is malformed, names addresses that are not its own, or has unusable keys.
    """
    try:
        # What a strict reader refuses in one entry would cost the region its whole list.
        check(raw, _LIMITS)
        entry = _decode(raw)
    except Malformed:
        raise EntryRefused("not an entry: not harmless JSON (a member twice, a NUL)") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise EntryRefused(f"not an entry: {in_words(fault)}") from None
    _check_addresses(entry, allow_loopback_http)
    keys = {(each.purpose, (key := _key(entry, each.jwk)).kid): key for each in entry.keys}
    operators = {(key := _key(entry, each.jwk)).kid: key for each in entry.operators}
    if len(keys) != len(entry.keys):
        raise EntryRefused(
            f"{entry.code}: keys: two keys with one kid; each key of a purpose has its own"
        )
    if len(operators) != len(entry.operators):
        raise EntryRefused(
            f"{entry.code}: operators: two keys with one kid; each person has a key of their own, "
            "as `qianjiang cities operator-key` makes it"
        )
    for purpose in ("client", "grant", "status"):
        if not any(held == purpose for held, _ in keys):
            raise EntryRefused(f"{entry.code}: no key for the purpose {purpose!r}")
    return City(entry, keys, operators)


def is_origin(text: str) -> bool:
    """Whether an address is an origin in its one spelling, with a port that there is."""
    found = _ORIGIN.match(text)
    return found is not None and int((found[3] or ":0")[1:]) < 65536


def _check_addresses(entry: Entry, allow_loopback_http: bool) -> None:
    if not is_origin(entry.issuer):
        raise EntryRefused(f"{entry.code}: issuer must be an origin and nothing more")
    if not entry.issuer.startswith("https:") and not allow_loopback_http:
        raise EntryRefused(f"{entry.code}: issuer must be an https origin")
    endpoints = msgspec.structs.asdict(entry.endpoints)
    named = {f"endpoints.{name}": address for name, address in endpoints.items()}
    named |= {f"redirect_uris[{n}]": address for n, address in enumerate(entry.redirect_uris)}
    for member, address in named.items():
        # An address of another origin would send a citizen, or a grant, to somebody else.
        if not address.startswith(entry.issuer) or not _PATH.match(address[len(entry.issuer) :]):
            raise EntryRefused(f"{entry.code}: {member} must be an address of its own issuer")


def _key(entry: Entry, jwk: dict[str, Any]) -> Key:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not _KID.match(kid):
        raise EntryRefused(f"{entry.code}: a key without a kid that documents can name")
    try:
        return parse_jwk(msgspec.json.encode(jwk))
    except JwkRefused as fault:
        raise EntryRefused(f"{entry.code}: a key is {fault}") from None
