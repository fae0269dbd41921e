"""The OpenID conformance suite's modules for FAPI 2.0 with client credentials, written anew.

One test bears the name of each module of `fapi2-security-profile-final-client-credentials-grant`
that applies to a Bearer token bought with private_key_jwt. Five of its fourteen modules test
sender-constrained tokens (CheckDpopProofNbfExp, EnsureDpopProofWithIat10SecondsBeforeSucceeds and
…AfterSucceeds, DpopNegativeTests, EnsureHolderOfKeyRequired): those are in `test_dpop_suite.py`.
Where a party may have Bearer tokens the gateway claims no FAPI 2.0 conformance.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.clock import SECOND_US
from gateway.jwk import unb64url
from tests.gateway import forge
from tests.gateway.city import MERCHANT, TestCity
from tests.gateway.oauth.client import PartyClient

METADATA = "/.well-known/oauth-authorization-server"


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in (400, 401) and answer.json()["error"] == "invalid_client"


async def test_discovery_endpoint_verification(town: TestCity, http: httpx.AsyncClient) -> None:
    answer = await http.get(METADATA)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    issuer = town.city.settings.issuer
    assert said["issuer"] == issuer
    assert said["token_endpoint"] == f"{issuer}/oauth/token"
    assert said["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
    assert said["grant_types_supported"] == ["client_credentials"]
    assert said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(said["token_endpoint_auth_signing_alg_values_supported"]) == {"ES256", "EdDSA"}
    assert "scenario:rent" in said["scopes_supported"]


async def test_happy_flow(town: TestCity, http: httpx.AsyncClient, merchant: PartyClient) -> None:
    """The token verifies under the published keys, as another system would verify it."""
    token = await merchant.token()
    (published,) = (await http.get("/.well-known/jwks.json")).json()["keys"]
    header, payload = (msgspec.json.decode(unb64url(part)) for part in token.split(".")[:2])
    assert header["kid"] == published["kid"]
    assert (published["kty"], published["crv"], published["alg"]) == ("EC", "P-256", "ES256")
    assert payload["client_id"] == MERCHANT
    assert len(payload["jti"]) * 6 >= 128


async def test_access_token_type_header_case_sensitivity(
    town: TestCity, merchant: PartyClient
) -> None:
    token = await merchant.token()
    for scheme in ("Bearer", "bearer", "bEARER"):
        headers = [(b"authorization", f"{scheme} {token}".encode())]
        assert town.city.tokens.authenticate(headers).party.row.id == MERCHANT


async def test_ensure_client_id_in_token_endpoint(merchant: PartyClient) -> None:
    """A client id of somebody else does not go with this assertion."""
    assert refused(await merchant.ask(client_id="another-client"))
    assert (await merchant.ask(client_id=MERCHANT)).status_code == 200


async def test_ensure_signed_client_assertion_with_rs256_fails(merchant: PartyClient) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text, _, _ = merchant.assertion(header={"alg": "RS256"}).rpartition(".")
    signature = key.sign(text.encode(), padding.PKCS1v15(), SHA256())
    assert refused(await merchant.ask(f"{text}.{forge.b64(signature)}"))
    assert refused(await merchant.ask(merchant.assertion(header={"alg": "RS256"})))


async def test_ensure_client_assertion_in_token_endpoint(merchant: PartyClient) -> None:
    assert refused(await merchant.ask(client_assertion=...))
    assert refused(await merchant.ask(client_assertion_type=...))
    assert refused(await merchant.ask(client_assertion=..., client_id=MERCHANT))


async def test_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(
    merchant: PartyClient,
) -> None:
    now_s = merchant.town.city.clock.now_us() // SECOND_US
    assert refused(await merchant.ask(merchant.assertion(iat=now_s - 360, exp=now_s - 300)))


async def test_ensure_client_assertion_with_wrong_aud_fails(merchant: PartyClient) -> None:
    issuer = merchant.town.city.settings.issuer
    for audience in (
        "https://other.example",
        f"{issuer}/oauth/token",  # the token endpoint is another string than the issuer
        f"{issuer}/",
        [issuer],
        [issuer, "https://other.example"],
        "",
        ...,
    ):
        assert refused(await merchant.ask(merchant.assertion(aud=audience))), audience


async def test_ensure_client_assertion_with_no_sub_fails(merchant: PartyClient) -> None:
    assert refused(await merchant.ask(merchant.assertion(sub=...)))
    assert refused(await merchant.ask(merchant.assertion(sub="another-client")))


# ---------------------------------------------------------------- of the profile's text, besides


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "jti", "iat", "exp"])
async def test_every_claim_is_needed(merchant: PartyClient, claim: str) -> None:
    without: dict[str, Any] = {claim: ...}
    assert refused(await merchant.ask(merchant.assertion(**without)))


@pytest.mark.parametrize(("ahead_s", "passes"), [(8, True), (70, False)])
async def test_a_clock_slightly_ahead_is_forgiven(
    merchant: PartyClient, ahead_s: int, passes: bool
) -> None:
    now_s = merchant.town.city.clock.now_us() // SECOND_US
    early: dict[str, Any] = {
        "iat": now_s + ahead_s,
        "nbf": now_s + ahead_s,
        "exp": now_s + ahead_s + 60,
    }
    answer = await merchant.ask(merchant.assertion(**early))
    assert (answer.status_code == 200) is passes


async def test_an_assertion_lives_five_minutes_at_most(merchant: PartyClient) -> None:
    now_s = merchant.town.city.clock.now_us() // SECOND_US
    assert refused(await merchant.ask(merchant.assertion(exp=now_s + 301)))
    assert (await merchant.ask(merchant.assertion(exp=now_s + 300))).status_code == 200


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
async def test_both_spellings_of_the_type_are_read(merchant: PartyClient, typ: str) -> None:
    answer = await merchant.ask(merchant.assertion(header={"typ": typ}))
    assert answer.status_code == 200


async def test_what_is_published_is_public(town: TestCity, http: httpx.AsyncClient) -> None:
    answer = await http.get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_no_binding_is_claimed_that_is_not_there(
    http: httpx.AsyncClient, merchant: PartyClient
) -> None:
    said = (await http.get(METADATA)).json()
    claims_of_binding = {name for name in said if "dpop" in name or "tls" in name}
    assert claims_of_binding == {"dpop_signing_alg_values_supported"}
    answer = (await merchant.ask()).json()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in msgspec.json.decode(unb64url(answer["access_token"].split(".")[1]))
