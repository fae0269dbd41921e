"""What a city says of itself, and how it refuses strangers."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from gateway.conformance.probe import Answer, Probe
from gateway.conformance.report import UNSAID, Report
from gateway.oauth.assertions import ASSERTION_TYPE
from gateway.oauth.code import AUTHORIZATION_CODE
from gateway.oauth.exchange import TOKEN_EXCHANGE
from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.recognition.entry import City

METADATA: Final = "/.well-known/oauth-authorization-server"
#: How far clocks may differ, in seconds; `Date` is whole seconds.
CLOCKS_S: Final = 10

_NONE: Final = "eyJhbGciOiJub25lIn0.e30."


def check_metadata(probe: Probe, report: Report, city: City) -> bool:
    """RFC 8414, and what the other standards add to it. False where the city does not answer, and
    so nothing else can be looked at."""
    answer = probe.get(city.entry.issuer + METADATA)
    if answer.is_none:
        report.judge("city.answers", f"it does not answer at {city.entry.issuer}: {answer.said}")
        return False
    fault = None if answer.status == 200 and answer.members else answer.said
    if report.judge("metadata.served", fault):
        _check_members(report, city, answer)
    return True


def _check_members(report: Report, city: City, answer: Answer) -> None:
    entry, found = city.entry, answer.members
    issuer = found.get("issuer")
    report.judge("metadata.issuer", None if issuer == entry.issuer else f"issuer: {issuer!r}")
    wanted = {
        "pushed_authorization_request_endpoint": entry.endpoints.par,
        "authorization_endpoint": entry.endpoints.authorize,
        "token_endpoint": entry.endpoints.token,
    }
    odd = [name for name, address in wanted.items() if found.get(name) != address]
    report.judge("metadata.endpoints", f"{', '.join(odd)} is another" if odd else None)
    lacking = ", ".join(_lacking(found))
    report.judge("metadata.members", lacking or None)
    _check_clock(report, answer)


def _lacking(found: dict[str, Any]) -> list[str]:
    """What is missing, or more than there should be."""

    def has(name: str, *wanted: str) -> bool:
        values = found.get(name)
        return isinstance(values, list) and set(wanted) <= set(map(str, values))

    rules = {
        "grant_types_supported": has(
            "grant_types_supported", AUTHORIZATION_CODE, TOKEN_EXCHANGE, JWT_BEARER
        ),
        "response_types_supported": has("response_types_supported", "code"),
        "code_challenge_methods_supported": has("code_challenge_methods_supported", "S256")
        and not has("code_challenge_methods_supported", "plain"),
        "token_endpoint_auth_methods_supported": has(
            "token_endpoint_auth_methods_supported", "private_key_jwt"
        )
        and not has("token_endpoint_auth_methods_supported", "none"),
        "dpop_signing_alg_values_supported": has("dpop_signing_alg_values_supported", "ES256"),
        "require_pushed_authorization_requests": found.get("require_pushed_authorization_requests")
        is True,
        "authorization_response_iss_parameter_supported": found.get(
            "authorization_response_iss_parameter_supported"
        )
        is True,
    }
    return [name for name, holds in rules.items() if not holds]


def _check_clock(report: Report, answer: Answer) -> None:
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        report.skip("clock", "it sends no Date")
        return
    ahead = theirs - (answer.began_s + answer.took_s / 2)
    well = f"{abs(ahead):.0f} s" if abs(ahead) >= 1 else "less than a second"
    # A whole second is what `Date` leaves open.
    far = abs(ahead) > CLOCKS_S + 1
    report.judge("clock", f"its clock is {ahead:+.0f} s off" if far else None, well)


def check_strangers(probe: Probe, report: Report, city: City) -> None:
    """Who has no key gets nothing, by any door."""
    par, token = city.entry.endpoints.par, city.entry.endpoints.token
    entry, state = city.entry, secrets.token_urlsafe(24)
    request = {"client_id": entry.code, "response_type": "code", "state": state}
    denied = {(401, "invalid_client")}
    refused(report, "par.client", probe.post(par, request), denied)
    forged = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": _NONE}
    refused(report, "par.forged", probe.post(par, request | forged), denied)
    code = {"grant_type": AUTHORIZATION_CODE, "code": state, "code_verifier": state * 2}
    redeem = code | {"client_id": entry.code, "redirect_uri": entry.redirect_uris[0]}
    refused(report, "token.client", probe.post(token, redeem), denied)
    bearer = {"grant_type": JWT_BEARER, "assertion": _NONE, "visit": state}
    refused(report, "token.bearer", probe.post(token, bearer), denied | {(400, "invalid_grant")})
    other = {"grant_type": "password", "username": "x", "password": "x"}
    wrong = {(400, "unsupported_grant_type"), (401, "invalid_client"), (400, "invalid_request")}
    refused(report, "token.grant_type", probe.post(token, other), wrong)
    refused(
        report,
        "token.garbage",
        probe.post(token, b"\xff\xfe{%%%}&&=;grant_type"),
        {(400, "invalid_request"), (401, "invalid_client"), (400, "unsupported_grant_type")},
    )


def check_pages(probe: Probe, report: Report, city: City) -> None:
    """Browsers are led nowhere by what nobody pushed."""
    entry, elsewhere = city.entry, "https://elsewhere.example/"
    unknown = "urn:ietf:params:oauth:request_uri:" + secrets.token_urlsafe(32)
    for asked in (
        {"client_id": entry.code, "request_uri": unknown},
        {"client_id": entry.code, "response_type": "code", "redirect_uri": elsewhere},
    ):
        answer = probe.get(f"{entry.endpoints.authorize}?{urlencode(asked)}", "text/html")
        if _is_page(report, "authorize.page", answer):
            report.judge("authorize.page", page_fault(answer))
    back = {"code": "x" * 43, "state": "y" * 43, "iss": elsewhere[:-1]}
    answer = probe.get(f"{entry.redirect_uris[0]}?{urlencode(back)}", "text/html")
    if not _is_page(report, "callback.stranger", answer):
        return
    place = answer.headers.get("location", "")
    outside = place.startswith("//") or "://" in place.partition("?")[0]
    away = outside and not f"{place}/".startswith(entry.issuer + "/")
    report.judge("callback.stranger", f"is sent to {place}" if away else None)


def _is_page(report: Report, name: str, answer: Answer) -> bool:
    """Whether there is an answer to judge at an address for browsers. A page with 404 may be the
    city's refusal or nothing at all: it is neither a fault nor a proof."""
    if answer.is_none or not answer.finds_nothing:
        return report.said(name, answer)
    report.skip(name, f"{answer.said}: that may be a refusal, or nothing at this address")
    return False


def page_fault(answer: Answer) -> str | None:
    """What is wrong with the answer to a request that cannot be trusted."""
    if "location" in answer.headers:
        return f"{answer.said}, and leads to {answer.headers['location'].partition('?')[0]}"
    if not 400 <= answer.status < 500:
        return answer.said
    return (
        None if answer.media_type == "text/html" else f"{answer.media_type or 'nothing'}, no page"
    )


def refused(report: Report, name: str, answer: Answer, wanted: Collection[tuple[int, str]]) -> None:
    """Note whether a request was refused in one of these ways: HTTP status and OAuth error."""
    if not report.said(name, answer):
        return
    ways = " or ".join(f"{status} {error}" for status, error in sorted(wanted))
    right = (answer.status, answer.error) in wanted
    report.judge(name, None if right else f"{answer.said}, not {ways}", answer.said)


def check_answers(probe: Probe, report: Report, city: City) -> None:
    """What holds of every answer that was seen; where none was, nothing was seen to hold."""
    issuer, entry = city.entry.issuer, city.entry
    own = [each for each in probe.answers if each.url.startswith(issuer + "/")]
    said = [each for each in own if not each.finds_nothing]
    slow = [each for each in own if each.took_s > 3.0]
    faults = [each for each in said if each.status >= 500]
    browsers = (entry.endpoints.authorize, *entry.redirect_uris)
    programs = [each for each in said if not each.url.startswith(browsers)]
    moved = [each for each in programs if 300 <= each.status < 400]
    tokens = [each for each in said if each.method == "POST"]
    stored = [each for each in tokens if "no-store" not in each.headers.get("cache-control", "")]
    for name, seen, fault, well in (
        ("answers.time", said, _which(slow, "took over 3 s"), _slowest(said)),
        ("answers.faults", said, _which(faults, "answered 5xx"), f"{len(said)} answers"),
        ("answers.redirects", programs, _which(moved, "redirected"), ""),
        ("answers.stored", tokens, _which(stored, "may be stored"), ""),
    ):
        if seen or fault:
            report.judge(name, fault, well)
        else:
            report.skip(name, UNSAID)


def _which(odd: list[Answer], what: str) -> str | None:
    if not odd:
        return None
    places = sorted({each.place for each in odd})
    return f"{', '.join(places)}: {what}"


def _slowest(answers: list[Answer]) -> str:
    return f"{max((each.took_s for each in answers), default=0.0) * 1000:.0f} ms at most"
