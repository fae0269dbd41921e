"""What an operator signs about an agreement: a draft, and statements about it.

Pure but for the operator's own key file. The draft is a small JSON text that both cities' operators
read and keep; every statement about the agreement, from signing to ending, is made from it.
"""

from __future__ import annotations

import datetime
import stat
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import AgreementClaims, CityCode, Kind, Name, Scenarios, SchemeName
from gateway.client_keys import private_key
from gateway.clock import SECOND_US
from gateway.errors import GatewayError, Malformed
from gateway.jose import sign
from gateway.jwk import thumbprint
from gateway.recognition.agreements import Act
from gateway.scan import check
from gateway.wrong_member import in_words

#: Bytes that are read of a key file.
_KEY_BYTES: Final = 64 * 1024

#: Kinds of characters that leave no mark, and letters and marks that do not either.
_UNSEEN: Final = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_BLANK: Final = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))
).union(map(chr, range(0x180B, 0x180F)), map(chr, range(0xFE00, 0xFE10)))


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

    @property
    def thumbprint(self) -> str:
        """The key's own name, whatever an entry calls it."""
        return thumbprint(self.private.public_key())


def read_draft(raw: bytes) -> Draft:
    """A draft from its JSON text.

    Raises:
        SigningRefused: it is not one; the message names the member.
    """
    try:
        # Of a member that comes twice people read the first, and the last one would be signed.
        check(raw)
        draft = msgspec.json.decode(raw, type=Draft)
    except Malformed:
        raise SigningRefused(
            "not a draft of an agreement: not harmless JSON (a member twice, a NUL)"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise SigningRefused(f"not a draft of an agreement: {in_words(fault)}") from None
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
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        jwk = _members(file.read(_KEY_BYTES))
    if "d" not in jwk and ("kty" in jwk or "jwk" in jwk):
        raise SigningRefused(
            f"{path} is the public part of a key, which signs nothing; the private part is in the "
            "file that `qianjiang cities operator-key FILE` made"
        )
    try:
        private = private_key(jwk)
        kid = jwk.get("kid") or thumbprint(private.public_key())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SigningRefused(
            f"{path} is no operator's private key; `qianjiang cities operator-key` makes one"
        ) from None
    if not isinstance(kid, str):
        raise SigningRefused(f"{path}: kid is no text")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SigningRefused(f"{path} is open to others; run `chmod 600` on it")
    return OperatorKey(kid, private)


def is_private(raw: bytes) -> bool:
    """Whether a text is or holds the private part of a key (RFC 7518 6.2.2)."""
    members = _members(raw)
    jwk = members.get("jwk")
    return "d" in members or (isinstance(jwk, dict) and "d" in jwk)


def _members(raw: bytes) -> dict[str, Any]:
    """The JSON object of a text; empty where it is none."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def seen(name: str) -> str:
    """A name as people see it: without what is not seen, in one spelling. Empty = nothing is."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(
        letter
        for letter in plain
        if unicodedata.category(letter) not in _UNSEEN and letter not in _BLANK
    )
