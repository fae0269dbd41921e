"""Coming back: in the browser that left, from the city that it was sent to, once (RFC 9207)."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest

from gateway.oauth.throttle import Throttle
from gateway.recognition.attempts import CODE_CHARS
from gateway.recognition.home_city import CALLS_MAX, TIMEOUT_S
from tests.gateway.visits.border import Border, Visitor

PROBLEM = "urn:qianjiang:problem:"


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["type"]) == (400, PROBLEM + "visit-refused")


async def left(border: Border) -> Visitor:
    """A visitor at the home city, whose word would be good."""
    visitor = border.browser()
    assert (await visitor.begin()).status_code == 201
    visitor.home.next_grant = border.home.grant(border.town, visitor.key.jkt)
    return visitor


def exchanges(border: Border) -> int:
    """How often a home city was asked for anything but the pushed request."""
    return sum(path == "/oauth/token" for home in border.homes for path, _ in home.forms)


# ------------------------------------------------------------------ who comes back


async def test_login_csrf_another_browser_gets_nothing(border: Border) -> None:
    """An attacker's answer in the browser of somebody else, with an attempt of its own or none."""
    attacker, victim, stranger = await left(border), await left(border), border.browser()
    for browser in (victim, stranger):
        led = await browser.come_back(state=attacker.state)
        assert refused(led), led.text
        assert (await browser.present()).status_code == 400
    assert exchanges(border) == 0
    assert await border.refused() >= {"state", "attempt"}
    # Neither attempt is spoilt by it.
    for visitor in (attacker, victim):
        assert (await visitor.come_back()).status_code == 303


async def test_an_answer_is_taken_once(border: Border, other_worker: object) -> None:
    visitor = await left(border)
    answers = await asyncio.gather(*(visitor.come_back() for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 19
    assert refused(await visitor.come_back())
    assert exchanges(border) == 2


@pytest.mark.parametrize("iss", ["https://330200.example", "", ..., "other home", "trailing slash"])
async def test_mix_up_the_city_that_answers_is_the_one_that_was_asked(
    border: Border, iss: object
) -> None:
    named = {"other home": border.homes[1].issuer, "trailing slash": border.home.issuer + "/"}
    visitor = await left(border)
    assert refused(await visitor.come_back(iss=named.get(str(iss), iss)))
    assert exchanges(border) == 0
    assert "issuer" in await border.refused()
    # A state that was given away is no state any more.
    assert refused(await visitor.come_back())


@pytest.mark.parametrize("code", [..., "", "x" * (CODE_CHARS + 1)])
async def test_no_code_is_no_answer(border: Border, code: object) -> None:
    visitor = await left(border)
    answer = await visitor.come_back(code=code)
    assert answer.status_code == 400, answer.text
    assert exchanges(border) == 0


async def test_an_attempt_ends_after_ten_minutes(border: Border) -> None:
    visitor = await left(border)
    await border.town.owner.execute(
        "UPDATE visit_attempt SET expires_at = expires_at - interval '10 minutes'"
    )
    assert refused(await visitor.come_back())


async def test_a_city_struck_off_meanwhile_is_not_asked(border: Border) -> None:
    visitor = await left(border)
    border.region.cities.remove(border.home)
    await border.publish()
    assert refused(await visitor.come_back())
    assert exchanges(border) == 0


async def test_who_says_no_at_home_is_back_where_it_began(border: Border) -> None:
    for error, told in (("access_denied", "declined"), ("server_error", "not-recognised")):
        visitor = await left(border)
        answer = await visitor.come_back(code=..., error=error)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/app/visit?refused={told}",
        )
        assert (await visitor.present()).json()["error"] == "invalid_grant"


async def test_a_person_reads_a_page_and_a_program_a_problem(border: Border) -> None:
    visitor = await left(border)
    visitor.page.headers["accept"] = "text/html"
    shown = await visitor.come_back(state="x")
    told = shown.status_code, shown.headers["location"]
    assert told == (303, "/app/visit?refused=visit-refused")


# ------------------------------------------------------------------ a home city that is not well

FAULTS = {
    "down": None,
    "500": (500, b"oops"),
    "moved": (302, b""),
    "no JSON": (200, b"<html>"),
    "no token": (200, b'{"token_type":"N_A"}'),
    "a number for a token": (200, b'{"access_token":7}'),
    "an empty token": (200, b'{"access_token":""}'),
    "an endless answer": (200, b" " * 70_000),
    "nothing": (200, b""),
    "bad UTF-8": (200, b'{"access_token":"\xff"}'),
    "too deep": (200, b"[" * 20_000),
}


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "down"])
@pytest.mark.parametrize("step", ["par", "code_for", "exchange"])
async def test_a_lying_home_city_is_one_that_has_not_answered(
    border: Border, step: str, fault: str
) -> None:
    visitor = border.browser() if step == "par" else await left(border)
    setattr(border.home, step, lambda _form: FAULTS[fault])
    answer = await visitor.begin() if step == "par" else await visitor.come_back()
    assert (answer.status_code, answer.json()["type"]) == (424, PROBLEM + "home-city-failed")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    (reason,) = await border.refused()
    assert reason in {"home-answer", "home-status", "home-no-answer"}
    if step != "par":
        assert (await visitor.present()).json()["error"] == "invalid_grant"


async def test_a_home_city_that_is_gone_costs_one_clean_answer(border: Border) -> None:
    visitor = await left(border)
    await border.home.__aexit__()
    assert (await border.browser().begin()).status_code == 424
    assert (await visitor.come_back()).status_code == 424
    assert await border.refused() == {"home-no-answer"}


async def test_a_silent_home_city_holds_up_nobody_but_its_own_visitors(border: Border) -> None:
    full = asyncio.Event()

    def silent(_form: object) -> None:
        if len(border.home.forms) == CALLS_MAX:
            full.set()

    border.home.par = silent
    slow = [asyncio.create_task(border.browser().begin()) for _ in range(CALLS_MAX)]
    await asyncio.wait_for(full.wait(), TIMEOUT_S)
    began = time.monotonic()
    # Whoever comes beyond these hears so at once, and the neighbour's visitors notice nothing.
    assert (await border.browser().begin()).status_code == 424
    assert (await border.browser(border.homes[1]).begin()).status_code == 201
    assert time.monotonic() - began < 1.5
    assert {task.status_code for task in await asyncio.gather(*slow)} == {424}
    assert time.monotonic() - began < 8


async def test_a_home_city_that_refuses_the_request_is_on_record(border: Border) -> None:
    border.home.par = lambda _form: (400, json.dumps({"error": "invalid_scope"}).encode())
    assert refused(await border.browser().begin())
    assert "home-says-invalid_scope" in await border.refused()
    border.home.exchange = lambda _form: (400, b'{"error":"invalid_grant"}')
    border.home.par = border.home._pushed
    visitor = await left(border)
    back = await visitor.come_back()
    assert back.headers["location"] == "/app/visit?refused=not-recognised"


# ------------------------------------------------------------------ what is asked of it


async def test_what_the_home_city_is_asked(border: Border) -> None:
    visitor = await left(border)
    await visitor.come_back()
    issuer = border.town.city.settings.issuer
    (_, pushed), (_, code), (_, exchange) = border.home.forms
    proof = {"client_id", "client_assertion_type", "client_assertion"}
    assert set(pushed) - proof == {
        *("response_type", "redirect_uri", "scope", "state"),
        *("code_challenge", "code_challenge_method", "cnf_jkt"),
    }
    assert pushed["redirect_uri"] == issuer + "/recognition/callback"
    assert (pushed["scope"], pushed["cnf_jkt"]) == ("scenario:library", visitor.key.jkt)
    assert (pushed["code_challenge_method"], pushed["response_type"]) == ("S256", "code")
    assert (code["grant_type"], code["code"]) == ("authorization_code", "code-1")
    assert exchange["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert (exchange["subject_token"], exchange["audience"]) == ("for-the-next-step", issuer)
    assertions = {form["client_assertion"] for _, form in border.home.forms}
    assert len(assertions) == 3, "each is used once"


async def test_nothing_of_an_attempt_can_be_read_from_its_row(border: Border) -> None:
    visitor = border.browser()
    await visitor.arrive()
    row = str(await border.town.owner.fetchrow("SELECT * FROM visit_attempt"))
    pushed = border.home.forms[0][1]
    secrets = visitor.secret, pushed["state"], border.home.forms[1][1]["code_verifier"]
    for secret in (*secrets, visitor.grant):
        assert secret not in row
        assert secret.encode().hex() not in row


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"home": "330300"}, 404),
        ({"home": "330100"}, 404),
        ({"home": "33"}, 400),
        ({"scenarios": ["hospital"]}, 400),
        ({"scenarios": []}, 400),
        ({"scenarios": ["library"] * 21}, 400),
        ({"jkt": "x"}, 400),
        ({"more": 1}, 400),
    ],
)
async def test_what_is_not_open_cannot_be_begun(
    border: Border, changes: dict[str, object], status: int
) -> None:
    answer = await border.browser().begin(**changes)
    assert answer.status_code == status, answer.text
    assert border.home.forms == []


async def test_another_sites_page_begins_and_finishes_nothing(border: Border) -> None:
    visitor = border.browser()
    visitor.page.headers["origin"] = "https://evil.example"
    assert (await visitor.begin()).status_code == 403
    del visitor.page.headers["origin"]
    await visitor.arrive()
    visitor.page.headers["origin"] = "null"
    assert (await visitor.present()).status_code == 403
    assert (await visitor.enter("A" * 32)).status_code == 403


async def test_an_address_that_tries_without_end_is_told_to_wait(border: Border) -> None:
    visitor, city = border.browser(), border.town.city
    city.visiting._throttle = Throttle(city.clock, per_s=0.01, burst=1)
    assert (await visitor.begin()).status_code == 201
    for answer in (await visitor.begin(), await visitor.come_back(), await visitor.present()):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
