"""The way in: to the home city, back, and to a session; in one browser, by one key, once."""

from __future__ import annotations

from tests.gateway.visits.border import Border, asked_at


async def test_a_visitor_arrives(border: Border) -> None:
    visitor = border.browser()
    begun = await visitor.begin("library")
    assert begun.status_code == 201, begun.text
    location = begun.json()["location"]
    assert location.startswith(f"{border.home.issuer}/oauth/authorize?")
    assert asked_at(location) == {"client_id": ["330100"], "request_uri": ["urn:example:r1"]}
    visitor.home.next_grant = border.home.grant(border.town, visitor.key.jkt)
    back = await visitor.come_back()
    assert (back.status_code, back.headers["location"]) == (303, "/app/visit/arrive")
    shown = await visitor.present()
    assert shown.status_code == 200, shown.text
    told = shown.json()
    assert {name: told[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "DPoP",
        "expires_in": 300,
        "scope": "scenario:library",
    }
    assert "refresh_token" not in told
    entered = await visitor.enter(told["access_token"])
    assert entered.status_code == 204, entered.text
    me = (await visitor.page.get("/v1/me")).json()
    assert me["who"]["name"] == "来自宁波的访客 / visitor from Ningbo"
    assert (me["who"]["id_number"], me["who"]["birthdate"]) == (None, None)
    assert me["score"] is None
    assert me["visit"]["home"]["code"] == "330200"
    assert (me["visit"]["live"], me["visit"]["scenarios"]) == (True, ["library"])
