"""The one error shape: closed, stable, silent about the request."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.params import FromPath, FromQuery
from litestar.testing import TestClient

from gateway import errors
from gateway.edge import problems
from gateway.oauth.errors import OAuthCode, oauth_error_bytes
from tests.gateway.callers import CHALLENGE
from tests.gateway.edge.asgi import Sent

CANARY = "330106200001011234"

SAMPLES: list[errors.GatewayError] = [
    errors.Malformed([("/a/b", "a required member is missing")]),
    errors.UnsupportedMediaType(),
    errors.TooLarge(),
    errors.TooSlow(),
    errors.UriTooLong(),
    errors.HeadersTooLarge(),
    errors.ClientGone(),
    errors.Unauthenticated("bad-signature"),
    errors.Forbidden("scope"),
    errors.NotFound(),
    errors.MethodNotAllowed(["GET", "POST"]),
    errors.Conflict(),
    errors.StillRunning(),
    errors.IdempotencyMismatch(),
    errors.TooManyRequests(3),
    errors.QuotaExceeded(3, quota=40, window_s=2),
    errors.AbnormalUsage(3),
    errors.Overloaded(2),
    errors.ReducedCapacity(2),
    errors.DependencyDown("valkey"),
    errors.OutcomeUnknown(),
]


#: Problem types that are everybody's (draft-ietf-httpapi-ratelimit-headers).
REGISTERED = {errors.QuotaExceeded, errors.AbnormalUsage, errors.ReducedCapacity}


def headers_of(exc: Exception) -> dict[bytes, bytes]:
    return dict(problems.problem_bytes(exc)[1])


def test_every_error_has_a_row_and_a_sample() -> None:
    classes = {
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.GatewayError) and cls is not errors.GatewayError
    }
    assert {type(sample) for sample in SAMPLES} <= set(problems.TABLE)
    # A class added to errors.py without a row would silently become a 500.
    assert all(problems.kind_of(cls.__new__(cls)) is not problems.INTERNAL for cls in classes)


@pytest.mark.parametrize("exc", SAMPLES, ids=lambda exc: type(exc).__name__)
def test_every_problem_has_the_same_shape(exc: errors.GatewayError) -> None:
    status, headers, body = problems.problem_bytes(exc)
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["type"].startswith(
        "https://iana.org/assignments/http-problem-types#"
        if type(exc) in REGISTERED
        else "urn:qianjiang:problem:"
    )
    assert set(problem) <= {"type", "title", "status", "instance", "errors", "violated-policies"}
    assert (b"content-type", b"application/problem+json") in headers
    assert (b"content-length", str(len(body)).encode()) in headers


def test_types_are_unique() -> None:
    slugs = [kind.slug for kind in (*problems.TABLE.values(), problems.INTERNAL)]
    assert len(slugs) == len(set(slugs))


def test_an_unlisted_error_is_a_plain_500() -> None:
    status, _, body = problems.problem_bytes(RuntimeError(CANARY))
    assert status == 500
    assert CANARY.encode() not in body


def test_a_new_error_takes_the_row_of_its_base() -> None:
    class UnknownScenario(errors.NotFound):
        """No scenario has this name."""

    assert problems.problem_bytes(UnknownScenario())[0] == 404


def test_a_401_is_the_same_whatever_the_cause() -> None:
    answers = {
        repr(problems.problem_bytes(errors.Unauthenticated(reason)))
        for reason in ("absent", "expired", "bad-signature", "unknown-kid")
    }
    assert len(answers) == 1
    assert headers_of(errors.Unauthenticated())[b"www-authenticate"] == CHALLENGE.encode()


def test_reasons_and_dependencies_stay_inside() -> None:
    for exc in (errors.Forbidden(CANARY), errors.DependencyDown(CANARY)):
        assert CANARY not in repr(problems.problem_bytes(exc))


def test_a_405_names_the_methods() -> None:
    assert headers_of(errors.MethodNotAllowed(["GET", "HEAD"]))[b"allow"] == b"GET, HEAD"


def test_waits_are_spread_between_one_and_two_times_the_base() -> None:
    waits = {problems.spread_out(10) for _ in range(100)}
    assert min(waits) >= 10
    assert max(waits) <= 20
    assert len(waits) >= 10


@pytest.mark.parametrize(
    "exc", [errors.TooManyRequests(3), errors.Overloaded(2), errors.OutcomeUnknown()]
)
def test_a_wait_is_told(exc: errors.GatewayError) -> None:
    assert int(headers_of(exc)[b"retry-after"]) >= 2


def test_a_spent_limit_says_which_and_asks_nobody_back_before_it_is_there_again() -> None:
    spent = errors.QuotaExceeded(3, quota=40, window_s=2)
    status, headers, body = problems.problem_bytes(spent)
    fields = dict(headers)
    assert status == 429
    assert json.loads(body)["violated-policies"] == ["party"]
    assert fields[b"ratelimit-policy"] == b'"party";q=40;w=2'
    assert fields[b"ratelimit"] == b'"party";r=0;t=3'
    waits = {int(headers_of(spent)[b"retry-after"]) for _ in range(50)}
    assert min(waits) >= 3
    assert len(waits) > 1


def test_only_a_conflict_that_passes_by_itself_says_when_to_return() -> None:
    assert headers_of(errors.StillRunning())[b"retry-after"] == b"1"
    assert b"retry-after" not in headers_of(errors.Conflict())


def test_the_pointers_of_a_400_are_an_extension_member() -> None:
    _, _, body = problems.problem_bytes(errors.Malformed([("/a", "too deep")]), "urn:uuid:1")
    problem = json.loads(body)
    assert problem["errors"] == [{"pointer": "/a", "detail": "too deep"}]
    assert problem["instance"] == "urn:uuid:1"


async def test_an_asgi_handler_sends_the_same_bytes() -> None:
    sent = Sent()
    await problems.send_problem(sent, errors.NotFound())
    assert (sent.status, sent.headers, sent.body) == problems.problem_bytes(errors.NotFound())


# Litestar's own errors.


@get("/number/{number:int}")
async def number(number: FromPath[int], limit: FromQuery[int] = 1) -> int:
    return number + limit


@get("/broken")
async def broken() -> None:
    raise RuntimeError(CANARY)


@get("/gone")
async def gone() -> None:
    raise errors.NotFound


@pytest.fixture(scope="module")
def client() -> Any:
    app = Litestar(
        [number, broken, gone],
        exception_handlers=problems.EXCEPTION_HANDLERS,
    )
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/nowhere/{CANARY}?x={CANARY}", 404),
        ("GET", f"/number/{CANARY}x", 404),
        ("GET", f"/number/1?limit=x{CANARY}", 400),
        ("POST", "/number/1", 405),
        ("GET", "/gone", 404),
        ("GET", "/broken", 500),
    ],
)
def test_litestar_speaks_our_shape_and_repeats_nothing(
    client: TestClient[Litestar], method: str, path: str, status: int
) -> None:
    reply = client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"].startswith(problems.TYPE_PREFIX)
    assert CANARY not in reply.text
    assert int(reply.headers["content-length"]) == len(reply.content)
    if status == 405:
        assert reply.headers["allow"] == "GET"


def test_the_log_of_an_unforeseen_error_holds_no_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        raise RuntimeError(CANARY)
    except RuntimeError as exc:
        problems.log_failure(exc)
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert CANARY not in logged


# The token endpoint speaks RFC 6749 instead.


@pytest.mark.parametrize("code", OAuthCode)
def test_oauth_errors_follow_rfc_6749(code: OAuthCode) -> None:
    status, headers, body = oauth_error_bytes(code)
    answer = json.loads(body)
    assert set(answer) == {"error", "error_description"}
    assert answer["error"] == code.value
    assert status == {"invalid_client": 401, "temporarily_unavailable": 503}.get(code.value, 400)
    assert (b"cache-control", b"no-store") in headers
    assert (b"content-type", b"application/json") in headers
