"""Public keys from outside: what may enter a key set, and under which name (RFC 7517, RFC 8037).

A JWK is a claim made by somebody else. It enters only as one of two kinds, EC P-256 for ES256
and Ed25519 for EdDSA, public, meant for verifying, and a real point of its curve. Symmetric and
RSA keys have no way in, so a public key can never be turned into an HMAC secret.
"""

from __future__ import annotations

import binascii
import enum
import hashlib
from base64 import urlsafe_b64decode
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import GatewayError, Malformed
from gateway.keys import b64url
from gateway.scan import Limits, check

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

#: How large a key set from outside may be.
MAX_SET_BYTES = 64 * 1024
MAX_SET_KEYS = 32
_SET_LIMITS = Limits(depth=4, members=2048, string=16 * 1024)  # a set may carry certificates

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# The y coordinates of the eight points of small order: under such a key anybody can sign.
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


class Alg(enum.StrEnum):
    """The signature algorithms of the gateway. There is no other, and never `none` or HMAC."""

    ES256 = "ES256"
    EDDSA = "EdDSA"


class Key(msgspec.Struct, frozen=True):
    """A public key that may verify: the algorithm belongs to the key, never to the token."""

    kid: str
    alg: Alg
    public: PublicKey


class JwkRefused(GatewayError):
    """A key or a key set is not one that the gateway trusts signatures of."""


class _Jwk(msgspec.Struct, frozen=True):
    """The members that matter; RFC 7517 4 asks to ignore the others."""

    kty: str
    kid: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    d: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    k: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _JwkSet(msgspec.Struct, frozen=True):
    keys: list[_Jwk]


_decode_key = msgspec.json.Decoder(_Jwk, strict=True).decode
_decode_set = msgspec.json.Decoder(_JwkSet, strict=True).decode


def parse_jwk(raw: bytes) -> Key:
    """One key, as a party registers it. Without a `kid` it is named by its thumbprint.

    Raises:
        JwkRefused: it is not a public EC P-256 or Ed25519 key for signatures.
    """
    return _accept(_read(raw, _decode_key))


def parse_jwks(raw: bytes) -> dict[str, Key]:
    """The usable keys of a set by `kid`.

    Keys of other kinds are passed over, for an identity provider may publish them for others.
    A private key or a `kid` given twice condemns the whole set: its owner does not guard it.

    Raises:
        JwkRefused: the set is malformed, too large, or condemned.
    """
    if len(raw) > MAX_SET_BYTES:
        raise JwkRefused("a key set over 64 KiB")
    listed = _read(raw, _decode_set).keys
    if len(listed) > MAX_SET_KEYS:
        raise JwkRefused("a key set of more than 32 keys")
    named = [jwk.kid for jwk in listed if jwk.kid is not None]
    if len(set(named)) != len(named):
        raise JwkRefused("a kid given twice")
    _refuse_secrets(listed)
    found = [key for jwk in listed if (key := _accept_or_none(jwk)) is not None]
    return {key.kid: key for key in found}


def public_jwk(key: Key) -> dict[str, str]:
    """The key as others read it (RFC 7517), for a published set."""
    return {**_required(key.public), "kid": key.kid, "alg": key.alg.value, "use": "sig"}


def thumbprint(public: PublicKey) -> str:
    """The key's own name: RFC 7638 with SHA-256, base64url."""
    canonical = msgspec.json.encode(dict(sorted(_required(public).items())))
    return b64url(hashlib.sha256(canonical).digest())


def unb64url(text: str) -> bytes:
    """Bytes from canonical base64url: no padding, no other alphabet, no stray trailing bits.

    Raises:
        ValueError: the text is not the one spelling that encoding would give.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if b64url(raw) != text:
        raise ValueError("not canonical base64url")
    return raw


def _read(raw: bytes, decode: Any) -> Any:
    try:
        check(raw, _SET_LIMITS)
        return decode(raw)
    except (Malformed, msgspec.DecodeError):
        raise JwkRefused("not a well-formed key") from None


def _refuse_secrets(listed: list[_Jwk]) -> None:
    for jwk in listed:
        if jwk.d is not msgspec.UNSET or jwk.k is not msgspec.UNSET:
            raise JwkRefused("a private or secret key")


def _accept_or_none(jwk: _Jwk) -> Key | None:
    try:
        return _accept(jwk)
    except JwkRefused:
        return None


def _accept(jwk: _Jwk) -> Key:
    _refuse_secrets([jwk])
    if jwk.use not in (None, "sig") or jwk.key_ops not in (None, ["verify"]):
        raise JwkRefused("a key that is not meant for verifying")
    try:
        alg, public = _point(jwk)
    except ValueError:
        raise JwkRefused("not a point of the curve") from None
    if jwk.alg not in (None, alg.value):
        raise JwkRefused("an algorithm that does not belong to the key")
    kid = thumbprint(public) if jwk.kid is None else jwk.kid
    if not 1 <= len(kid) <= 128 or not kid.isascii() or not kid.isprintable():
        raise JwkRefused("a kid of a wrong form")
    return Key(kid, alg, public)


def _point(jwk: _Jwk) -> tuple[Alg, PublicKey]:
    match jwk:
        case _Jwk(kty="EC", crv="P-256", x=str() as x, y=str() as y):
            numbers = ec.EllipticCurvePublicNumbers(
                int.from_bytes(_coordinate(x)), int.from_bytes(_coordinate(y)), ec.SECP256R1()
            )
            return Alg.ES256, numbers.public_key()  # refuses a point off the curve
        case _Jwk(kty="OKP", crv="Ed25519", x=str() as x, y=None):
            raw = _coordinate(x)
            _check_ed25519(raw)
            return Alg.EDDSA, ed25519.Ed25519PublicKey.from_public_bytes(raw)
    raise JwkRefused("not an EC P-256 or Ed25519 key")


def _coordinate(text: str) -> bytes:
    raw = unb64url(text)
    if len(raw) != 32:
        raise ValueError("a coordinate is 32 bytes")
    return raw


def _check_ed25519(raw: bytes) -> None:
    """The library takes any 32 bytes, so the point is checked here (RFC 8032 5.1.3)."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    if y >= _P or y in _SMALL_ORDER:
        raise ValueError("not canonical, or of small order")
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(square, (_P - 1) // 2, _P) != 1:
        raise ValueError("not on the curve")


def _required(public: PublicKey) -> dict[str, str]:
    """The members that define a key (RFC 7638 3.2, RFC 8037 2)."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        x = b64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        return {"kty": "OKP", "crv": "Ed25519", "x": x}
    point = public.public_numbers()
    x, y = b64url(point.x.to_bytes(32)), b64url(point.y.to_bytes(32))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
