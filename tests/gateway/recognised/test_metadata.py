"""What the authorization server says of itself, where it has a trust list and where it has none."""

from __future__ import annotations

from pathlib import Path

import httpx

from gateway.local.valkey import Valkey
from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import EXCHANGE, JWT, Partner, error

PATH = "/.well-known/oauth-authorization-server"


async def test_a_city_with_a_list_says_how_it_is_asked(http: httpx.AsyncClient) -> None:
    said = (await http.get(PATH)).json()
    issuer = said["issuer"]
    told = {
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": True,
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "identity_chaining_requested_token_types_supported": [JWT],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }
    assert {name: said[name] for name in told} == told
    assert set(said["grant_types_supported"]) >= {
        "client_credentials",
        "authorization_code",
        EXCHANGE,
        JWT_BEARER,
    }


async def test_a_city_without_one_promises_nothing_and_serves_nobody(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> None:
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path) as alone:
        transport = transport_of(alone.city)
        issuer = alone.city.settings.issuer
        async with httpx.AsyncClient(transport=transport, base_url=issuer) as http:
            said = (await http.get(PATH)).json()
            assert said["grant_types_supported"] == ["client_credentials"]
            assert said["response_types_supported"] == []
            assert [name for name in said if "authorization_" in name or "chaining" in name] == []
            for grant in ("authorization_code", EXCHANGE):
                asked = await http.post("/oauth/token", data={"grant_type": grant})
                assert asked.json()["error"] == "unsupported_grant_type"
            pushed = await http.post("/oauth/par", data={"client_id": "330200"})
            assert pushed.json()["error"] == "invalid_client"
            opened = await http.get("/oauth/authorize?client_id=330200&request_uri=x")
            assert opened.status_code == 400


async def test_the_city_is_a_client_of_its_own_where_visitors_arrive(
    town: TestCity, http: httpx.AsyncClient, neighbours: Neighbours, partner: Partner
) -> None:
    """The same authentication as for others, and then the visit's own checks."""
    own = Partner(town, http, neighbours.own.code)
    _, own.kid, own.private = neighbours.own.keys[0]
    form = {"grant_type": JWT_BEARER, "assertion": "a.b.c", "visit": "x" * 32}
    assert error(await own.post("/oauth/token", form)) == "invalid_grant"
    unlisted = Partner(town, http, neighbours.own.code)
    assert error(await unlisted.post("/oauth/token", form), 401) == "invalid_client"
