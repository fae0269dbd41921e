"""What can go wrong, in the gateway's own words and without HTTP.

Code raises these where it knows what is wrong; `gateway/edge/problems.py` holds the one table
that turns a class into a status. A refusal that belongs to the domain (`standard_path`, a token
that does not pass) is a value and never appears here.
"""

from __future__ import annotations

from collections.abc import Sequence


class GatewayError(Exception):
    """Something the gateway cannot do, said without personal data."""


class Malformed(GatewayError):
    """The request cannot be understood, each fault named by its place.

    `pointers` holds pairs of a JSON Pointer (RFC 6901, `""` for the whole body) and a plain
    reason. Neither may carry a value from the request.
    """

    def __init__(self, pointers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__("malformed request")
        self.pointers = tuple(pointers)


class UnsupportedMediaType(GatewayError):
    """The body is not declared as JSON in UTF-8."""


class TooLarge(GatewayError):
    """The body is larger than this route takes."""


class TooSlow(GatewayError):
    """The body did not arrive in time."""


class UriTooLong(GatewayError):
    """The request target is longer than the gateway takes."""


class HeadersTooLarge(GatewayError):
    """The header fields together are larger than the gateway takes."""


class ClientGone(GatewayError):
    """The client closed the connection before its request was whole; nobody is left to answer."""


class Unauthenticated(GatewayError):
    """The caller did not prove who it is.

    `reason` is for the audit record alone: the caller reads the same words whatever the cause,
    so that a probe learns nothing from them.
    """

    def __init__(self, reason: str = "absent") -> None:
        super().__init__("unauthenticated")
        self.reason = reason


class ProofRefused(Unauthenticated):
    """A token under the scheme DPoP is not good, or came without a good proof (RFC 9449 7.1).

    `error` is what the caller reads: `invalid_token`, `invalid_dpop_proof`, or `use_dpop_nonce`,
    with the `nonce` to use.
    """

    def __init__(self, reason: str, error: str, nonce: str | None = None) -> None:
        super().__init__(reason)
        self.error, self.nonce = error, nonce


class AccountClosed(Unauthenticated):
    """The citizen closed the account while this was under way; nothing was written for it."""

    def __init__(self) -> None:
        super().__init__("account-closed")


class Forbidden(GatewayError):
    """The caller is known and may not do this; `reason` is for the audit record alone."""

    def __init__(self, reason: str = "not-allowed") -> None:
        super().__init__("forbidden")
        self.reason = reason


class NotFound(GatewayError):
    """There is nothing here, or nothing that this caller may see."""


class MethodNotAllowed(GatewayError):
    """The resource exists but does not know this method; `allow` lists those it knows."""

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__("method not allowed")
        self.allow = tuple(allow)


class Conflict(GatewayError):
    """The request contradicts the present state of what it names."""


class TooManyDevices(Conflict):
    """The citizen has as many devices as one may have; another must be stopped first."""


class StillRunning(Conflict):
    """An earlier request that this one must wait for has not ended yet."""


class IdempotencyMismatch(GatewayError):
    """The same idempotency key came before with another body."""


class TooManyRequests(GatewayError):
    """The caller's own limit is spent; it may return after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests")
        self.retry_after_s = retry_after_s


class QuotaExceeded(TooManyRequests):
    """A party's own limit, `quota` requests in `window_s` seconds, is spent."""

    def __init__(self, retry_after_s: int, *, quota: int, window_s: int) -> None:
        super().__init__(retry_after_s)
        self.quota, self.window_s = quota, window_s


class AbnormalUsage(TooManyRequests):
    """Too many signatures that were not good came in this caller's name to look at one more."""


class Overloaded(GatewayError):
    """The gateway sheds load; the caller may return after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__("overloaded")
        self.retry_after_s = retry_after_s


class ReducedCapacity(Overloaded):
    """More is asked than can be done now, and this request's kind had to wait too long."""


class DependencyDown(GatewayError):
    """Something the answer needs does not answer, so there is no answer."""

    def __init__(self, dependency: str = "") -> None:
        super().__init__(dependency or "a dependency is down")
        self.retry_after_s = 2


class OutcomeUnknown(GatewayError):
    """Whether the act was recorded cannot be told now; it is never repeated blindly."""

    def __init__(self) -> None:
        super().__init__("outcome unknown")
        self.retry_after_s = 2


class LoginRefused(GatewayError):
    """A login cannot be finished in this browser; `reason` is for the audit record alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("login refused")
        self.reason = reason


class AuthorizationRefused(GatewayError):
    """A browser came with no request of another city that could be answered; `reason` is for the
    audit record alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("authorization refused")
        self.reason = reason


class VisitRefused(GatewayError):
    """A visitor from another city is not let in; `reason` is for the city's own record alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("visit refused")
        self.reason = reason


class NotForVisitors(GatewayError):
    """A visitor from another city asks for what only this city's own citizens have here."""


class HomeCityFailed(GatewayError):
    """A visitor's home city is down, slow, or does not answer as the protocol says.

    `reason` is for the city's own record alone.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("the home city failed")
        self.reason = reason
        self.retry_after_s = 5


class SignInRefused(GatewayError):
    """A member of a party's staff is not signed in; `reason` is for the audit record alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("sign-in refused")
        self.reason = reason


class IdentityRefused(GatewayError):
    """The identity is not one that this identity provider can vouch for.

    `reason` is for the audit record alone and holds nothing of the identity.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("identity refused")
        self.reason = reason


class AdultsOnly(GatewayError):
    """A minor, or a person who is not of full civil capacity, has no file (ZJ 2)."""


class TextChanged(Conflict):
    """The act names another text than the one that stands now: it must be read again."""


class TooManyOpen(Conflict):
    """So many requests of this citizen wait already that another one must wait for them."""


class NothingOpen(Conflict):
    """Nothing of what another city asks for is open to the citizen now, so there is nothing to
    allow."""


class OpenMatters(Conflict):
    """An account cannot be closed while a deposit, a loan or a bill is open; which, the citizen
    reads where the closing is explained, never in the error."""


class CommitmentRefused(GatewayError):
    """A signed commitment does not pass; `reason` is for the audit record alone."""

    def __init__(self, reason: str) -> None:
        super().__init__("commitment refused")
        self.reason = reason
