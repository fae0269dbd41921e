"""The one bridge from errors to HTTP: RFC 9457 problem details, from one table.

A class that the table does not list becomes a plain 500 with nothing inside; its story goes to
the log only, and there without the exception's text, which may hold personal data. Nothing here
repeats a path, a query or a value of the request.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException
from litestar.types import Send

from gateway import errors
from gateway.edge.limits import PARTY, fields
from gateway.gcra import Quota
from gateway.logs import places_of

Headers = list[tuple[bytes, bytes]]

#: Problem types are names, not pages, so a URN that resolves nowhere is the honest form.
TYPE_PREFIX = "urn:qianjiang:problem:"

#: But for those that are registered for everybody (draft-ietf-httpapi-ratelimit-headers).
IANA_PREFIX = "https://iana.org/assignments/http-problem-types#"

#: The algorithms of DPoP proofs, as a challenge names them (RFC 9449 7.1).
ALGS: Final = b'algs="ES256 EdDSA"'

_log = structlog.get_logger(__name__)


class Kind(msgspec.Struct, frozen=True):
    """What the outside sees of an error: type slug, status, title."""

    slug: str
    status: int
    title: str
    registered: bool = False

    @property
    def type(self) -> str:
        """The problem type (RFC 9457 3.1.1)."""
        return (IANA_PREFIX if self.registered else TYPE_PREFIX) + self.slug


INTERNAL = Kind("internal", 500, "The gateway failed; nothing was decided")

TABLE: dict[type[errors.GatewayError], Kind] = {
    errors.Malformed: Kind("malformed", 400, "The request is malformed"),
    errors.ClientGone: Kind("client-gone", 400, "The request ended before it was whole"),
    errors.Unauthenticated: Kind("unauthenticated", 401, "A valid credential is required"),
    errors.LoginRefused: Kind(
        "login-refused",
        400,
        "登录未能完成，请重新开始 / The login could not be finished; begin again",
    ),
    errors.AuthorizationRefused: Kind(
        "authorization-refused",
        400,
        "这个请求无效、已打开过或已过期，请回到那座城市重新开始"
        " / This request is not valid, was opened before or is over; begin again in that city",
    ),
    errors.VisitRefused: Kind(
        "visit-refused",
        400,
        "没有接入，请重新开始 / The visit was not opened; begin again",
    ),
    errors.NotForVisitors: Kind(
        "not-for-visitors",
        403,
        "这里只面向本市居民，您的城市有自己的页面"
        " / This is for the city's own citizens; your home city has a page of its own",
    ),
    # 424 (RFC 4918 11.4) and no 5xx: this gateway is well, and whoever watches it should know.
    errors.HomeCityFailed: Kind(
        "home-city-failed",
        424,
        "对方城市暂时没有应答，请稍后再试 / The other city does not answer; try again later",
    ),
    errors.SignInRefused: Kind(
        "sign-in-refused",
        403,
        "没有登录，请核对后重试 / Not signed in; check what you typed and try again",
    ),
    errors.AdultsOnly: Kind(
        "adults-only",
        403,
        "钱江分只面向年满十八周岁、具有完全民事行为能力的人；没有留下任何记录，办事照常"
        " / Only for adults of full civil capacity; nothing was recorded",
    ),
    errors.IdentityRefused: Kind(
        "identity-refused",
        403,
        "无法确认身份，没有留下任何记录 / The identity was not confirmed; nothing was recorded",
    ),
    errors.Forbidden: Kind("forbidden", 403, "The caller may not do this"),
    errors.NotFound: Kind("not-found", 404, "There is nothing here"),
    errors.MethodNotAllowed: Kind("method-not-allowed", 405, "The method is not allowed here"),
    errors.TooSlow: Kind("too-slow", 408, "The request did not arrive in time"),
    errors.Conflict: Kind("conflict", 409, "The request contradicts the present state"),
    errors.TooManyDevices: Kind(
        "too-many-devices",
        409,
        "设备已达上限，请先停用一个 / There are too many devices; stop one first",
    ),
    errors.StillRunning: Kind("still-running", 409, "An earlier request is still running"),
    errors.TextChanged: Kind(
        "text-changed", 409, "文本已更新，请重新阅读 / The text has changed; read it again"
    ),
    errors.TooManyOpen: Kind(
        "too-many-open",
        409,
        "还有几项申请在处理中，请等其中一项办结 / Several of your requests are open; wait for one",
    ),
    errors.NothingOpen: Kind(
        "nothing-open",
        409,
        "所请求的场景现在都不适用，没有提供任何信息；在当地按普通方式办理"
        " / Nothing that was asked for is open to you now, and nothing was said of you;"
        " the ordinary way applies there",
    ),
    errors.OpenMatters: Kind(
        "open-matters",
        409,
        "还有未了结的押金、借阅或医疗费用，了结后即可注销"
        " / Deposits, loans or medical bills are open; settle them first",
    ),
    errors.TooLarge: Kind("too-large", 413, "The request body is too large"),
    errors.UriTooLong: Kind("uri-too-long", 414, "The request target is too long"),
    errors.UnsupportedMediaType: Kind(
        "unsupported-media-type", 415, "The body must be application/json in UTF-8"
    ),
    errors.CommitmentRefused: Kind(
        "commitment-refused",
        422,
        "签名未通过，没有记录 / The signature does not pass; nothing was recorded",
    ),
    errors.IdempotencyMismatch: Kind(
        "idempotency-mismatch", 422, "The idempotency key was used with another body"
    ),
    errors.TooManyRequests: Kind("too-many-requests", 429, "The caller's limit is spent"),
    errors.QuotaExceeded: Kind(
        "quota-exceeded", 429, "The party's own limit is spent", registered=True
    ),
    errors.AbnormalUsage: Kind(
        "abnormal-usage-detected",
        429,
        "Too many bad signatures came in this name",
        registered=True,
    ),
    errors.HeadersTooLarge: Kind("headers-too-large", 431, "The header fields are too large"),
    errors.Overloaded: Kind("overloaded", 503, "The gateway is overloaded"),
    errors.ReducedCapacity: Kind(
        "temporary-reduced-capacity", 503, "More is asked than can be done now", registered=True
    ),
    errors.DependencyDown: Kind("unavailable", 503, "No answer is possible now"),
    errors.OutcomeUnknown: Kind("outcome-unknown", 503, "The outcome is not known yet"),
}

#: What Litestar raises by itself, by status; anything else of its making is a 400 or a 500.
_BY_STATUS: dict[int, type[errors.GatewayError]] = {
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    429: errors.TooManyRequests,
    503: errors.Overloaded,
}

_GOLDEN = (math.sqrt(5) - 1) / 2
_spread = itertools.count()


class _Fault(msgspec.Struct, frozen=True):
    pointer: str
    detail: str


class _Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    status: int
    title: str
    instance: str | None = None
    errors: list[_Fault] | None = None
    violated: list[str] | None = msgspec.field(name="violated-policies", default=None)


_encode = msgspec.json.Encoder().encode


def kind_of(exc: BaseException) -> Kind:
    """The row of an error's class, or of the nearest base class that has one."""
    for cls in type(exc).__mro__:
        if (kind := TABLE.get(cls)) is not None:
            return kind
    return INTERNAL


def problem_bytes(exc: BaseException, instance: str | None = None) -> tuple[int, Headers, bytes]:
    """Status, header fields and body of the problem that answers an error.

    `instance` names this occurrence (RFC 9457 3.1.5), for example `urn:uuid:<request id>`.
    """
    kind = kind_of(exc)
    faults = None
    if isinstance(exc, errors.Malformed) and exc.pointers:
        faults = [_Fault(pointer, detail) for pointer, detail in exc.pointers]
    violated = [PARTY] if isinstance(exc, errors.QuotaExceeded) else None
    body = _encode(_Problem(kind.type, kind.status, kind.title, instance, faults, violated))
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *_headers_of(exc),
    ]
    return kind.status, headers, body


def _headers_of(exc: BaseException) -> Headers:
    match exc:
        case errors.ProofRefused(error=error, nonce=nonce):
            challenge = (b"www-authenticate", b'DPoP error="%b", %b' % (error.encode(), ALGS))
            return [challenge, (b"dpop-nonce", nonce.encode())] if nonce else [challenge]
        case errors.Unauthenticated():
            # One challenge for every cause (RFC 6750 3.1), or it would tell them apart.
            return [(b"www-authenticate", b'Bearer error="invalid_token", DPoP %b' % ALGS)]
        case errors.MethodNotAllowed(allow=allow):
            return [(b"allow", ", ".join(allow).encode("ascii"))]
        case errors.StillRunning():
            return [(b"retry-after", b"1")]  # what it waits for ends within the lock's timeout
        case errors.QuotaExceeded(retry_after_s=wait_s, quota=quota, window_s=window_s):
            spent = fields(Quota(quota, window_s, 0, wait_s))
            return [*spent, (b"retry-after", b"%d" % spread_out(wait_s))]
        case (
            errors.TooManyRequests(retry_after_s=wait_s)
            | errors.Overloaded(retry_after_s=wait_s)
            | errors.DependencyDown(retry_after_s=wait_s)
            | errors.OutcomeUnknown(retry_after_s=wait_s)
            | errors.HomeCityFailed(retry_after_s=wait_s)
        ):
            return [(b"retry-after", b"%d" % spread_out(wait_s))]
        case errors.TooLarge() | errors.TooSlow() | errors.ClientGone():
            # Part of the body is still unread, so the connection cannot carry another request.
            return [(b"connection", b"close")]
    return []


def spread_out(wait_s: int) -> int:
    """A wait of `wait_s` to twice that, in seconds, spread so that callers do not return at once.

    The golden-ratio sequence fills the interval more evenly than random numbers would.
    """
    return wait_s + round(next(_spread) * _GOLDEN % 1 * max(wait_s, 1))


def translate(exc: Exception) -> Exception:
    """An exception of Litestar's in our vocabulary; any other as it is.

    Litestar's messages repeat the path, the query and values, so none of them is kept.
    """
    if isinstance(exc, SerializationException):
        return errors.Malformed()
    if not isinstance(exc, HTTPException):
        return exc
    cls = _BY_STATUS.get(exc.status_code)
    if cls is errors.MethodNotAllowed:
        allow = (exc.headers or {}).get("allow", "")
        names = [name.strip() for name in allow.split(",") if name]
        # The framework names its own answer to OPTIONS, which the guard does not let pass.
        return errors.MethodNotAllowed([name for name in names if name != "OPTIONS"])
    if cls is errors.TooManyRequests or cls is errors.Overloaded:
        return cls(1)
    if cls is not None:
        return cls()
    return errors.Malformed() if 400 <= exc.status_code < 500 else exc


def answer(_: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything: the same table as the hot path."""
    known = translate(exc)
    if kind_of(known) is INTERNAL:
        log_failure(known)
    status, headers, body = problem_bytes(known)
    texts = {name.decode(): value.decode() for name, value in headers}
    media_type = texts.pop("content-type")
    del texts["content-length"]  # Litestar counts for itself
    return Response(body, status_code=status, headers=texts, media_type=media_type)


async def send_problem(send: Send, exc: Exception) -> None:
    """Answer an ASGI request with the problem of an error."""
    if kind_of(exc) is INTERNAL:
        log_failure(exc)
    status, headers, body = problem_bytes(exc)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def log_failure(exc: BaseException) -> None:
    """Log an error that nobody foresaw: its class and where it arose, never its text."""
    _log.error("unforeseen", error=type(exc).__qualname__, places=places_of(exc.__traceback__))


#: For `Litestar(exception_handlers=...)`.
EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {Exception: answer, HTTPException: answer}
