"""The same word through the token endpoint, by the city's own client apart from the gateway."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.claims import Kind
from gateway.keys import SigningKeys
from gateway.oauth.clients import ASSERTION_TYPE
from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.recognition.partners import RECOGNITION
from tests.gateway import forge
from tests.gateway.recognition.region import Private
from tests.gateway.visits.border import Border, Visitor


class Application:
    """The visited city's application: it has the city's client key, and one visitor's browser."""

    def __init__(self, border: Border) -> None:
        self.border = border
        self.visitor: Visitor = border.browser()
        self.http = border.callers().stranger()

    async def back(self) -> None:
        """The visitor is back; the word went to the application, not to the gateway."""
        assert (await self.visitor.begin()).status_code == 201
        self.border.home.exchange = lambda _form: (400, b'{"error":"invalid_grant"}')
        assert (await self.visitor.come_back()).status_code == 303
        self.visitor.grant = self.border.home.grant(self.border.town, self.visitor.key.jkt)

    def assertion(self, code: str, kid: str, private: Private, **changes: Any) -> str:
        now_s = self.visitor.now_s
        said = {"iss": code, "sub": code, "aud": self.border.own.issuer, "jti": str(uuid4())}
        body = forge.payload(Kind.ASSERTION, **(said | {"iat": now_s, "exp": now_s + 60} | changes))
        return forge.token(forge.header(Kind.ASSERTION, kid=kid), body, private)

    @property
    def own(self) -> tuple[str, str, Private]:
        keys: SigningKeys = self.border.town.city.keys.city_client
        ((kid, private),) = keys.items()
        return self.border.own.code, kid, private

    async def present(
        self, by: tuple[str, str, Private] | None = None, **changes: Any
    ) -> httpx.Response:
        form = {
            "grant_type": JWT_BEARER,
            "assertion": self.visitor.grant,
            "visit": self.visitor.page.cookies.get("qianjiang-visit", ""),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(*(by or self.own)),
        }
        sent = {name: value for name, value in (form | changes).items() if value is not ...}
        proof = {"dpop": self.visitor.proof()}
        return await self.http.post("/oauth/token", data=sent, headers=proof)


@pytest.fixture
async def application(border: Border) -> Application:
    made = Application(border)
    await made.back()
    return made


async def test_it_is_accepted_and_opens_the_same_session(
    border: Border, application: Application
) -> None:
    secret = application.visitor.secret
    answer = await application.present(visit=secret)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("DPoP", 300)
    assert set(told) == {"access_token", "token_type", "expires_in", "scope"}
    assert (await application.visitor.enter(told["access_token"])).status_code == 204
    metadata = (await application.http.get("/.well-known/oauth-authorization-server")).json()
    assert JWT_BEARER in metadata["grant_types_supported"]
    again = await application.present(visit=secret)
    assert again.json()["error"] == "invalid_grant"


async def test_strangers_and_other_clients_get_nothing(
    border: Border, application: Application
) -> None:
    code, kid, _ = application.own
    home_kid, home_key = border.home.key("client")
    stranger = forge.STRANGER
    for by in ((code, kid, stranger), (code, home_kid, home_key), ("bike-shop", "k1", stranger)):
        refused = await application.present(by=by)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    bare = await application.present(client_assertion=..., client_assertion_type=...)
    assert bare.json()["error"] == "invalid_client"
    # A city of the list that was not admitted here.
    other = border.home.code, home_kid, home_key
    unknown = await application.present(by=other)
    assert (unknown.status_code, unknown.json()["error"]) == (400, "unauthorized_client")
    # A partner, which is not the one that the grant names.
    entity = "INSERT INTO legal_entity (id, name, contact) VALUES ('ningbo', '宁波', 'desk')"
    await border.town.owner.execute(entity)
    await border.town.party(
        "ningbo-city",
        kind="city",
        city=border.home.code,
        entity="ningbo",
        scenarios=(RECOGNITION,),
    )
    another = await application.present(by=other)
    assert (another.status_code, another.json()["error"]) == (400, "invalid_grant")
    assert "client" in await border.refused()
    assert (await application.present()).status_code == 200


@pytest.mark.parametrize("left_out", ["assertion", "visit"])
async def test_what_is_missing_is_a_malformed_request(
    application: Application, left_out: str
) -> None:
    refused = await application.present(None, **{left_out: ...})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def test_the_session_that_began_is_needed_here_too(
    border: Border, application: Application
) -> None:
    other = border.browser()
    other.key = application.visitor.key
    await other.begin()
    for secret in ("x", "A" * 32, other.secret):
        refused = await application.present(visit=secret)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await application.present()).status_code == 200


async def test_no_other_kind_of_token_is_an_assertion(application: Application) -> None:
    for kind in Kind:
        refused = await application.present(assertion=forge.honest(kind))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant"), kind
