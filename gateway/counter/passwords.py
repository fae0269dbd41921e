"""Passwords of counter staff: Argon2id (RFC 9106), beside the event loop and bounded.

One hash takes 19 MiB and some 20 ms of one processor (OWASP Password Storage: m = 19 MiB, t = 2,
p = 1; the second factor and the bounds on attempts carry the rest), and a worker makes two at a
time. A few more may wait for a moment; those beyond are told to come back, and questions of parties
notice nothing of it.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.errors import Malformed, Overloaded
from gateway.threads import background_pool

T = TypeVar("T")

AT_ONCE: Final = 2
WAITING_MAX: Final = 16
PATIENCE_S: Final = 5.0

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
#: A password repeats fewer than so many different characters.
DIFFERENT_MIN: Final = 5

#: What is tried first, of those that are long enough (lists of leaked passwords); in small letters.
COMMON: Final = frozenset(
    {
        *("password1234", "password12345", "password123456", "passwordpassword", "passw0rd1234"),
        *("p@ssw0rd1234", "p@ssword1234", "administrator", "administrator1", "welcome12345"),
        *("123456789012", "1234567890123", "0123456789012", "123456123456", "123456789abc"),
        *("1234567890ab", "1234567890qwe", "123123123123", "112233445566", "987654321098"),
        *("qwertyuiop12", "qwertyuiop123", "qwertyuiopasdf", "qwertyuiop[]", "1qaz2wsx3edc"),
        *("1q2w3e4r5t6y", "qazwsxedcrfv", "asdfghjkl123", "zxcvbnm12345", "abcdefghijkl"),
        *("abcd12345678", "abc123456789", "a12345678901", "aa1234567890", "woaini123456"),
        *("woaini520131", "woaini5201314", "iloveyou1234", "letmein12345", "changeme1234"),
        *("qianjiangfen", "qianjiangfen1", "qianjiang123", "hangzhou1234", "zhejiang1234"),
    }
)


class Passwords:
    """Makes and checks hashes; one instance per worker."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = background_pool(AT_ONCE, "password")
        self._nobodys: str | None = None
        self._under_way = 0

    def close(self) -> None:
        """Let go of the threads; what waits for one is given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to keep.

        Raises:
            Overloaded: too many are being made.
        """
        return await self._beside(lambda: self._hasher.hash(_normal(password)))

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Whether it is the password of a hash; None (no such account) takes the same work.

        Raises:
            Overloaded: too many are being checked.
        """
        return await self._beside(lambda: self._check(password, kept))

    def _check(self, password: str, kept: str | None) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's")
        try:
            return self._hasher.verify(kept or self._nobodys, _normal(password)) and bool(kept)
        except (Argon2Error, InvalidHashError):
            return False

    async def _beside(self, work: Callable[[], T]) -> T:
        if self._under_way >= AT_ONCE + WAITING_MAX:
            raise Overloaded(retry_after_s=1)
        self._under_way += 1
        running = self._threads.submit(work)
        # Counted until it has ended: a caller who leaves does not end what a thread has begun.
        loop = asyncio.get_running_loop()
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            raise Overloaded(retry_after_s=1) from None

    def _ended(self) -> None:
        self._under_way -= 1


def check_choice(password: str, login: str) -> None:
    """See that a password is one that may be chosen (NIST SP 800-63B 3.1.1: long, and not common).

    Raises:
        Malformed: it is not; the reason is a word of `too-short`, `holds-login`, `too-common`.
    """
    normal = _normal(password).casefold()
    if len(normal) < LENGTH_MIN:
        raise Malformed([("/password", "too-short")])
    if login in normal:
        raise Malformed([("/password", "holds-login")])
    if normal in COMMON or len(set(normal)) < DIFFERENT_MIN:
        raise Malformed([("/password", "too-common")])


def _normal(password: str) -> str:
    # Two keyboards may write one character in two ways (NIST SP 800-63B 3.1.1.2).
    return unicodedata.normalize("NFKC", password)
