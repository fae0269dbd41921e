"""The city's secret keys: what each is for, how they are read, how fresh ones are made.

One JSON file, mode 0600, holds them all. Nothing else makes it, and one command changes keys in it
(gateway/key_rotation.py).
Where a key can be rotated the file holds several under an id, the newest active: old ones decrypt
and verify, and never encrypt or sign.
"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.ids import Ids
from gateway.small_file import read_small


class KeyFileError(Exception):
    """The key file is missing, unsafe or unreadable; the message says what to do."""


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's layout. Secrets are base64; private keys are PKCS #8 PEM texts."""

    token_signing: dict[str, str]  # kid -> EC P-256 private key, the last one signs
    subject: dict[str, bytes]  # "1".."255" -> 64 bytes, AES-SIV; the highest encrypts
    city: dict[str, bytes]  # "1".."255" -> 32 bytes, wraps people's keys; the highest wraps
    standing_digest: bytes  # 32 bytes, keys the digest that commits join on
    blind_index: bytes  # 32 bytes, keys look-ups by identity number
    facts_hash: bytes  # 32 bytes, keys the comparison of facts
    link: bytes  # 32 bytes, derives the unguessable part of consent links and of tokens' ids
    cookie: bytes  # 32 bytes, seals the login attempt's cookie
    oidc_client: str  # EC P-256 private key for private_key_jwt at the identity provider
    webhook: str  # Ed25519 private key, signs webhooks (v1a)
    # Towards other cities, kid -> EC P-256 private key, the last one signs; published by the
    # region's trust list. A file from before cities recognised each other has none.
    city_client: dict[str, str] = {}  # authenticates this city as a client (RFC 7523)
    city_grant: dict[str, str] = {}  # signs what this city says of its citizens
    city_status: dict[str, str] = {}  # signs its status lists


#: Private keys by kid; the last one signs.
SigningKeys = dict[str, ec.EllipticCurvePrivateKey]


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """The keys in usable form."""

    token_signing: dict[str, ec.EllipticCurvePrivateKey]
    token_kid: str
    subject: dict[int, bytes]
    city: dict[int, bytes]
    standing_digest: bytes
    blind_index: bytes
    facts_hash: bytes
    link: bytes
    cookie: bytes
    oidc_client: ec.EllipticCurvePrivateKey
    webhook: ed25519.Ed25519PrivateKey
    city_client: SigningKeys
    city_grant: SigningKeys
    city_status: SigningKeys


def load_keys(path: Path) -> Keyring:
    """Read the key file.

    Raises:
        KeyFileError: it is missing, readable by others, or not what it should be.
    """
    try:
        mode = path.stat().st_mode
        raw = read_small(path)
    except OSError as fault:
        raise KeyFileError(
            f"key file {path} cannot be read ({fault.strerror}); "
            "make one with `qianjiang keys generate FILE`"
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"key file {path} is open to others; run `chmod 600` on it")
    try:
        return _keyring(msgspec.json.decode(raw, type=KeyFile))
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise KeyFileError(f"key file {path} is not usable: {fault}") from None


def write_keys(path: Path, ids: Ids) -> None:
    """Make a fresh set of keys in a new file of mode 0600; an existing file is never replaced."""
    fresh = KeyFile(
        token_signing=fresh_signing_key(ids),
        subject={"1": ids.random_bytes(64)},
        city={"1": ids.random_bytes(32)},
        standing_digest=ids.random_bytes(32),
        blind_index=ids.random_bytes(32),
        facts_hash=ids.random_bytes(32),
        link=ids.random_bytes(32),
        cookie=ids.random_bytes(32),
        oidc_client=_pem(ec.generate_private_key(ec.SECP256R1())),
        webhook=_pem(ed25519.Ed25519PrivateKey.generate()),
        city_client=fresh_signing_key(ids),
        city_grant=fresh_signing_key(ids),
        city_status=fresh_signing_key(ids),
    )
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(fresh)))


def fresh_signing_key(ids: Ids) -> dict[str, str]:
    """One new signing key under a random kid."""
    # Commands take it as an argument, which must not begin like an option.
    return {ids.token()[:12].replace("-", "_"): _pem(ec.generate_private_key(ec.SECP256R1()))}


def b64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _keyring(file: KeyFile) -> Keyring:
    for name in ("standing_digest", "blind_index", "facts_hash", "link", "cookie"):
        if len(getattr(file, name)) != 32:
            raise ValueError(f"{name} must be 32 bytes")
    return Keyring(
        token_signing=_signing(file.token_signing),
        token_kid=list(file.token_signing)[-1],
        subject={_key_id(key): _sized(value, 64) for key, value in file.subject.items()},
        city={_key_id(key): _sized(value, 32) for key, value in file.city.items()},
        standing_digest=file.standing_digest,
        blind_index=file.blind_index,
        facts_hash=file.facts_hash,
        link=file.link,
        cookie=file.cookie,
        oidc_client=_ec(file.oidc_client),
        webhook=_ed25519(file.webhook),
        city_client=_signing(file.city_client),
        city_grant=_signing(file.city_grant),
        city_status=_signing(file.city_status),
    )


def _signing(pems: dict[str, str]) -> SigningKeys:
    return {kid: _ec(pem) for kid, pem in pems.items()}


def _key_id(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 255:
        raise ValueError("key ids are 1 to 255: they travel in one byte")
    return number


def _sized(raw: bytes, size: int) -> bytes:
    if len(raw) != size:
        raise ValueError(f"a key must be {size} bytes")
    return raw


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _ec(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("an EC P-256 private key is wanted")
    return key


def _ed25519(pem: str) -> ed25519.Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError("an Ed25519 private key is wanted")
    return key
