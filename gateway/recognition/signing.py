"""What an operator signs about an agreement: a draft, and statements about it.

Pure but for the operator's own key file. The draft is a small JSON text that both cities' operators
read and keep; every statement about the agreement, from signing to ending, is made from it.
"""

from __future__ import annotations

import datetime
import stat
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import AgreementClaims, CityCode, Kind, Name, Scenarios, SchemeName
from gateway.client_keys import private_key
from gateway.clock import SECOND_US
from gateway.errors import GatewayError
from gateway.jose import sign
from gateway.jwk import thumbprint
from gateway.recognition.agreements import Act


class SigningRefused(GatewayError):
    """A draft or a key is not one to sign with; the message names it, and the remedy."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of an agreement; `region` is the region's `iss`, `to` the first day without it."""

    region: Name
    agreement: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")]
    cities: tuple[CityCode, CityCode]
    scenarios: Scenarios
    scheme: SchemeName
    from_: datetime.date = msgspec.field(name="from")
    to: datetime.date


class OperatorKey(msgspec.Struct, frozen=True):
    """An operator's private key and the name it has in the city's entry."""

    kid: str
    private: ec.EllipticCurvePrivateKey


def read_draft(raw: bytes) -> Draft:
    """A draft from its JSON text.

    Raises:
        SigningRefused: it is not one; the message names the member.
    """
    try:
        draft = msgspec.json.decode(raw, type=Draft)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise SigningRefused(f"not a draft of an agreement: {fault}") from None
    return checked(draft)


def checked(draft: Draft) -> Draft:
    """The draft, if it says something that can be agreed on.

    Raises:
        SigningRefused: its cities or days are in the wrong order.
    """
    low, high = draft.cities
    if not low < high:
        raise SigningRefused("cities: two different codes, the lower one first")
    if not draft.from_ < draft.to:
        raise SigningRefused("to: the first day on which it does not hold, later than `from`")
    return draft


def statement(draft: Draft, act: Act, issuer: str, key: OperatorKey, now_us: int) -> str:
    """What an operator of the city `issuer` says about the draft, as a compact JWS."""
    terms: dict[str, Any] = {}
    if act == "sign":
        terms = {name: getattr(draft, name) for name in ("scenarios", "scheme", "from_", "to")}
    claims = AgreementClaims(
        iss=issuer,
        aud=draft.region,
        iat=now_us // SECOND_US,
        agreement=draft.agreement,
        act=act,
        cities=draft.cities,
        **terms,
    )
    return sign(Kind.AGREEMENT, claims, key.kid, key.private)


def read_operator_key(path: Path) -> OperatorKey:
    """The private key in an operator's file.

    Raises:
        SigningRefused: others can read it, or it is not what `qianjiang cities operator-key` made.
    """
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SigningRefused(f"{path} is open to others; run `chmod 600` on it")
    try:
        jwk = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        private = private_key(jwk)
        kid = jwk.get("kid") or thumbprint(private.public_key())
    except (msgspec.DecodeError, ValueError, KeyError):
        raise SigningRefused(
            f"{path} is no operator's private key; `qianjiang cities operator-key` makes one"
        ) from None
    return OperatorKey(kid, private)
