"""Scenarios, requests and consents as pages: what anybody else wrote in them stays text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from gateway.consent_requests import LINK_PATH
from tests.gateway.callers import Callers, body, key
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled
from tests.gateway.web.test_closed import HTML, Elements

ASK = {"scenario": "rent", "purpose": "deposit_free_rental", "out_request_no": "r-1"}


class Said(HTMLParser):
    """The text of a page, as a reader gets it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def said(answer: httpx.Response) -> str:
    reader = Said()
    reader.feed(answer.text)
    return reader.text


def shape(answer: httpx.Response) -> list[tuple[str, str]]:
    """Every element with the names of its attributes: what a text may not change."""
    found = Elements()
    found.feed(answer.text)
    return sorted((element, name) for element, name, _ in found.attributes)


async def link_of(callers: Callers, **changes: Any) -> str:
    asked = body(await callers.party().post("/v1/consent-requests", json=ASK | changes), 201)
    return str(asked["link"])


async def read(me: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await me.get(path, headers=HTML)
    assert answer.status_code == 200, (path, answer.text)
    return answer


async def test_what_a_party_calls_itself_and_promises_is_text_on_every_page(
    callers: Callers,
) -> None:
    town = callers.town
    citizen = await enrolled(town)
    consent = await town.consent(citizen)
    me = await callers.citizen(citizen)
    link = await link_of(callers)
    pages = [
        *("/app", "/app/scenarios", "/app/scenarios/rent", "/app/consents"),
        *(f"/app/consents/{consent}", link),
    ]
    before = {path: shape(await read(me, path)) for path in pages}
    for text in CORPUS:
        await town.owner.execute(
            "UPDATE legal_entity SET name = $1, promise = $1, contact = $1", text
        )
        await town.owner.execute("UPDATE party SET name = $1", text)
        await town.city.parties.refresh(force=True)
        for path in pages:
            answer = await read(me, path)
            # A promise that was empty before brings its own two elements, which have no attributes.
            assert shape(answer) == before[path], (path, text)
            assert path == "/app/scenarios" or text in said(answer), (path, text)


async def test_a_community_is_text_where_it_stands_in_an_example(callers: Callers) -> None:
    town = callers.town
    await town.party(
        "points-desk",
        scenarios=("points",),
        kind="community",
        entity="desk",
        community="no code of a community",
    )
    me = await callers.citizen(await enrolled(town))
    before = shape(await read(me, "/app/scenarios/points"))
    for text in CORPUS:
        await town.owner.execute("UPDATE party SET community = $1 WHERE id = 'points-desk'", text)
        await town.city.parties.refresh(force=True)
        assert shape(await read(me, "/app/scenarios/points")) == before, text


@pytest.mark.parametrize("text", CORPUS)
async def test_what_is_searched_for_is_text(callers: Callers, text: str) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    for path in ("/app/scenarios", "/app/scenarios/rent"):
        answer = await me.get(path, params={"q": text, "done": text}, headers=HTML)
        assert answer.status_code == 200
        found = Elements()
        found.feed(answer.text)
        assert found.names & {"iframe", "base", "style", "object"} == set()
        values = [
            v for element, name, v in found.attributes if (element, name) == ("input", "value")
        ]
        assert text.strip()[:64] in values


async def test_a_way_back_is_a_link_of_its_own_and_shows_its_host(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    uri = "https://shop.example/back?a=1&b='><script>"
    refused = await callers.party().post("/v1/consent-requests", json=ASK | {"return_uri": uri})
    assert refused.status_code == 400  # such an address is never taken
    link = await link_of(callers, return_uri="https://shop.example/back?a=1&b='x'")
    asked = await read(me, link)
    assert "shop.example" not in said(asked)  # only after deciding
    token = link.rpartition("/")[2]
    body(await me.post(f"/v1/me/consent-requests/{token}/decline"))
    ended = await read(me, link)
    found = Elements()
    found.feed(ended.text)
    away = [v for element, name, v in found.attributes if name == "href" and "://" in v]
    assert away == ["https://shop.example/back?a=1&b='x'"]
    assert "没有同意，按普通方式办理" in said(ended)


async def test_the_address_of_a_link_is_a_page_and_no_data(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get(await link_of(callers))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_nobody_is_led_past_the_screen_of_a_separate_consent(callers: Callers) -> None:
    """The proof belongs to one session and one request; another's leads to the first screen."""
    town = callers.town
    await town.party("clinic", scenarios=("hospital",), kind="hospital", entity="clinic")
    asks = {"scenario": "hospital", "purpose": "pay_after_treatment"}
    links = []
    for number in range(2):
        asked = await callers.party("clinic").post(
            "/v1/consent-requests", json=asks | {"out_request_no": f"r-{number}"}
        )
        links.append(str(body(asked, 201)["link"]).removeprefix(town.city.settings.issuer))
    me, other = [await callers.citizen(await enrolled(town)) for _ in range(2)]

    async def onwards(reader: httpx.AsyncClient, link: str) -> str:
        found = Elements()
        found.feed((await read(reader, link)).text)
        return next(v for _, name, v in found.attributes if name == "href" and v.startswith(link))

    mine = await onwards(me, links[0])
    assert "text_sha256" in (await read(me, mine)).text
    for reader, address in (
        (other, mine),
        (me, mine.replace(links[0], links[1])),
        (me, f"{links[0]}?read=1"),
        (me, f"{links[0]}?read="),
    ):
        answer = await read(reader, address)
        assert "text_sha256" not in answer.text
        assert "敏感个人信息" in said(answer)


async def test_the_second_act_is_asked_for_only_where_the_rule_misses_it(callers: Callers) -> None:
    town = callers.town
    unsigned, signed = await enrolled(town), await enrolled(town)
    await town.commitment(signed)
    for number, (citizen, follows) in enumerate(((unsigned, True), (signed, False))):
        me = await callers.citizen(citizen)
        link = await link_of(callers, out_request_no=f"r-{number}")
        found = Elements()
        found.feed((await read(me, link)).text)
        (then, _) = [v for _, name, v in found.attributes if name == "data-then"]
        assert then.startswith("/app/commitments/new?scenario=rent&party=bike-shop") is follows
        assert follows or then.startswith(LINK_PATH)


async def test_what_is_decided_is_told_in_one_line_and_nothing_else_is_said(
    callers: Callers,
) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    lines = {
        "ordinary": "好的，按普通方式办理。",
        "granted": "没有签署承诺，按普通方式办理。",
        "anything": "",
    }
    for done, line in lines.items():
        told = said(await read(me, f"/app/scenarios/rent?done={done}"))
        assert [each for each in lines.values() if each and each in told] == [
            each for each in [line] if each
        ]


async def test_a_consent_begun_by_its_citizen_says_so(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    path = "/v1/me/scenarios/rent/consent-requests"
    begun = body(await me.post(path, json={"party": "bike-shop"}, headers=key("b")), 201)
    answer = await read(me, begun["page"])
    assert "对方不知道您在看" in said(answer)
    other = await callers.citizen(await enrolled(callers.town))
    assert (await other.get(begun["page"], headers=HTML)).status_code == 404


async def test_who_else_a_consent_opens_the_answer_to_is_named_before_it_is_given(
    callers: Callers,
) -> None:
    """On the page, on the first screen of a separate consent, and beside the button to enable."""
    town = callers.town
    for name in ("ward-one", "ward-two"):
        await town.party(name, scenarios=("hospital",), kind="hospital", recipient="payer")
    await town.city.parties.refresh(force=True)
    me = await callers.citizen(await enrolled(town))
    alone = said(await read(me, await link_of(callers)))
    assert "以下机构都可以" not in alone
    assert "家机构都可以查询" not in said(await read(me, "/app/scenarios/rent"))
    assert "2 家机构都可以查询" in said(await read(me, "/app/scenarios/hospital"))
    begun = await me.post(
        "/v1/me/scenarios/hospital/consent-requests", json={"party": "ward-one"}, headers=key("w")
    )
    special = await read(me, body(begun, 201)["page"])
    assert "同意后，以下机构都可以为同一答案接收方查询：" in said(special)
    assert "ward-two" in said(special)
    onwards = special.text.partition('<a class="button" href="')[2].partition('"')[0]
    assert "ward-two" in said(await read(me, onwards.replace("&amp;", "&")))
