"""One-time passwords of counter staff (TOTP, RFC 6238): six digits, good once, for 30 seconds.

The code of the step before or after is taken as well, since telephones' clocks differ. The secret
is sealed under a key of the account's own, which is wrapped under the city's.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final
from uuid import UUID

import msgspec
import pyotp

from gateway.clock import SECOND_US, Clock
from gateway.errors import DependencyDown
from gateway.ids import Ids
from gateway.vault import SealBroken, Vault

STEP_S: Final = 30
SECRET_BYTES: Final = 20  # RFC 4226 4, R6 recommends 160 bits
ISSUER: Final = "钱江分柜台"


class Sealed(msgspec.Struct, frozen=True):
    """A secret as it is kept."""

    wrapped_key: bytes
    secret: bytes


class OneTime:
    """Makes secrets and finds the step of a code."""

    def __init__(self, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._vault, self._clock, self._ids = vault, clock, ids

    def new_secret(self) -> str:
        """A fresh secret in base32, as authenticator apps take it."""
        return base64.b32encode(self._ids.random_bytes(SECRET_BYTES)).decode("ascii")

    def address(self, secret: str, login: str) -> str:
        """The `otpauth://` address of a secret, for a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)

    def step_of(self, secret: str, code: str, after: int) -> int | None:
        """The step that a code is of, if that is now and later than the last one used."""
        now = self._clock.now_us() // SECOND_US // STEP_S
        totp = pyotp.TOTP(secret)
        found = None
        for step in (now - 1, now, now + 1):  # each is looked at, whichever fits
            if hmac.compare_digest(totp.generate_otp(step), code) and step > after:
                found = step
        return found

    def seal(self, secret: str, staff: UUID) -> Sealed:
        """A secret sealed for an account."""
        wrapped = self._vault.new_key(staff)
        seal = self._vault.person(wrapped, staff)
        return Sealed(wrapped, seal.seal(secret.encode(), _place(staff)))

    def open(self, sealed: Sealed, staff: UUID) -> str:
        """The secret again.

        Raises:
            DependencyDown: it was sealed with a key that this city does not have.
        """
        try:
            seal = self._vault.person(sealed.wrapped_key, staff)
            return seal.open(sealed.secret, _place(staff)).decode()
        except SealBroken:
            raise DependencyDown("keys") from None


def _place(staff: UUID) -> bytes:
    return b"counter_staff/totp/" + staff.bytes
