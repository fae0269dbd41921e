"""The OpenID conformance suite's DPoP modules, written anew: `fapi2-security-profile-final-…`.

`dpop-negative-tests` is a walk of 32 steps, 29 of which change a proof; each step that it takes
bears its name here. The suite walks at one resource. Here every step is taken at the token endpoint
too, where it applies, and at three resources: the hot route, AuthZEN, an ordinary route.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.jwk import unb64url
from tests.gateway import forge
from tests.gateway.city import TestCity
from tests.gateway.oauth.bound import BoundClient, Place
from tests.gateway.oauth.client import PartyClient
from tests.gateway.prover import Prover, with_other_signature

CHALLENGE = 'DPoP error="{}", algs="ES256 EdDSA"'


# The other curve takes the same steps at night; by day its proofs are judged in test_dpop.py.
@pytest.fixture(params=["ES256", pytest.param("EdDSA", marks=pytest.mark.nightly)])
async def client(
    town: TestCity, merchant: PartyClient, request: pytest.FixtureRequest
) -> BoundClient:
    edwards = ed25519.Ed25519PrivateKey.generate() if request.param == "EdDSA" else None
    client = BoundClient(merchant, Prover(edwards))
    await client.begin(town)
    return client


def is_refused(place: Place, answer: httpx.Response, error: str = "invalid_dpop_proof") -> bool:
    """Whether a proof was refused in the words of the place."""
    if not place.is_resource:
        return answer.status_code == 400 and answer.json()["error"] == error
    return (
        answer.status_code == 401
        and answer.headers["www-authenticate"] == CHALLENGE.format(error)
        and answer.json()["type"] == "urn:qianjiang:problem:unauthenticated"
    )


async def refused(client: BoundClient, **changes: Any) -> None:
    """A proof with these changes is refused everywhere, and what it spoils is nobody's token."""
    for place in client.places:
        answer = await client.send(place, client.proof(place, **changes))
        assert is_refused(place, answer), (place.path, answer.status_code, answer.text)
    await passes(client)


async def refused_at_resources(client: BoundClient, **changes: Any) -> None:
    """The same where only a resource can tell."""
    for place in client.resources:
        answer = await client.send(place, client.proof(place, **changes))
        assert is_refused(place, answer), (place.path, answer.status_code, answer.text)
    await passes(client)


async def passes(client: BoundClient, **changes: Any) -> None:
    """A proof with these changes is accepted everywhere."""
    for place in client.places:
        answer = await client.send(place, client.proof(place, **changes))
        assert answer.status_code == 200, (place.path, answer.text)


# ---------------------------------------------------------------- dpop-negative-tests


async def test_try_dpop_proof_with_all_upper_case_header_value(client: BoundClient) -> None:
    for place in client.places:
        assert (await client.send(place, name="DPOP")).status_code == 200


async def test_try_with_more_than_one_dpop_in_the_header(client: BoundClient) -> None:
    for place in client.places:
        answer = await client.send(place, client.proof(place), client.proof(place))
        assert answer.status_code == 400, place.path
        # A proxy may have joined the two fields to one.
        joined = f"{client.proof(place)}, {client.proof(place)}"
        assert is_refused(place, await client.send(place, joined)), place.path


async def test_try_dpop_proof_not_well_formed_jwt(client: BoundClient) -> None:
    for place in client.places:
        beheaded = client.proof(place).rpartition(".")[0]
        assert is_refused(place, await client.send(place, beheaded)), place.path


async def test_try_dpop_proof_where_typ_is_missing_in_header(client: BoundClient) -> None:
    await refused(client, header={"typ": ...})


async def test_try_dpop_proof_where_alg_is_missing(client: BoundClient) -> None:
    await refused(client, header={"alg": ..., "alg2": client.prover.alg})


async def test_try_dpop_proof_where_jwk_is_missing(client: BoundClient) -> None:
    await refused(client, header={"jwk": ...})


async def test_try_dpop_proof_where_jti_is_missing(client: BoundClient) -> None:
    await refused(client, jti=...)


async def test_try_dpop_proof_where_htm_is_missing(client: BoundClient) -> None:
    await refused(client, htm=...)


async def test_try_dpop_proof_where_htu_is_missing(client: BoundClient) -> None:
    await refused(client, htu=...)


async def test_try_dpop_proof_where_iat_is_missing(client: BoundClient) -> None:
    await refused(client, iat=...)


async def test_try_dpop_proof_where_ath_is_missing(client: BoundClient) -> None:
    await refused_at_resources(client, ath=...)


async def test_try_dpop_proof_with_invalid_typ_in_header(client: BoundClient) -> None:
    await refused(client, header={"typ": "dpop+jwt+wrongyousee"})


async def test_try_dpop_proof_signed_using_rs256(client: BoundClient) -> None:
    """By a key of RSA's own, which the suite does where it is given one."""
    private = rsa.generate_private_key(65537, 2048)
    modulus = private.public_key().public_numbers().n.to_bytes(256)
    jwk = {"kty": "RSA", "n": forge.b64(modulus), "e": "AQAB"}
    for place in client.places:
        honest = client.proof(place, header={"alg": "RS256", "jwk": jwk})
        text = honest.rpartition(".")[0]
        signature = private.sign(text.encode(), padding.PKCS1v15(), SHA256())
        answer = await client.send(place, f"{text}.{forge.b64(signature)}")
        assert is_refused(place, answer), place.path
    await refused(client, header={"alg": "RS256"})


async def test_try_dpop_proof_with_none_alg(client: BoundClient) -> None:
    for place in client.places:
        claims = client.proof(place).split(".")[1]
        for header in ({"alg": "none", "typ": "dpop+jwt"},
                       {"alg": "none", "typ": "dpop+jwt", "jwk": client.prover.jwk}):  # fmt: skip
            unsigned = f"{forge.b64(forge.dumps(header))}.{claims}."
            assert is_refused(place, await client.send(place, unsigned)), place.path
            assert is_refused(place, await client.send(place, f"{unsigned}AAAA")), place.path


async def test_try_dpop_proof_with_invalid_signature(client: BoundClient) -> None:
    for place in client.places:
        spoilt = with_other_signature(client.proof(place))
        assert is_refused(place, await client.send(place, spoilt)), place.path
    await passes(client)


async def test_try_dpop_proof_with_jwk_header_incorrectly_containing_private_key(
    client: BoundClient,
) -> None:
    await refused(client, header={"jwk": client.prover.secret_jwk})


async def test_try_dpop_proof_with_incorrect_htm(client: BoundClient) -> None:
    await refused(client, htm="PUT")


def _url(client: BoundClient, place: Place) -> str:
    return client.town.city.settings.issuer + place.path


async def test_try_dpop_proof_where_htu_has_a_query_and_fragment(client: BoundClient) -> None:
    """Which must be ignored (RFC 9449 4.3, 9)."""
    for place in client.places:
        proof = client.proof(place, htu=f"{_url(client, place)}?allthedoors#programmed")
        assert (await client.send(place, proof)).status_code == 200, place.path


async def test_try_dpop_proof_where_htu_does_not_contain_the_query(client: BoundClient) -> None:
    """Of a request that has one, which the hot route and the token endpoint do not take."""
    decision = client.places[-1]
    asked = Place(decision.method, f"{decision.path}?lang=zh")
    answer = await client.send(asked, client.proof(decision))
    assert answer.status_code == 200


async def test_try_dpop_proof_where_htu_is_a_different_url(client: BoundClient) -> None:
    for place in client.places:
        for htu in (f"{_url(client, place)}ohnonotagain", place.path, "https://other.example/"):
            answer = await client.send(place, client.proof(place, htu=htu))
            assert is_refused(place, answer), place.path
    for place, other in zip(client.places, [*client.places[1:], client.places[0]], strict=True):
        answer = await client.send(place, client.proof(place, htu=_url(client, other)))
        assert is_refused(place, answer), (place.path, other.path)


@pytest.mark.parametrize("hour_s", [3600, -3600])
async def test_try_dpop_proof_where_iat_is_one_hour_off(client: BoundClient, hour_s: int) -> None:
    """In the future, and in the past. The suite then looks for a nonce and tries with it: nothing
    rests on the sender's clock any more, so its proof passes."""
    now_s = client.town.city.clock.now_us() // 1_000_000
    for place in client.places:
        answer = await client.send(place, client.proof(place, iat=now_s + hour_s))
        assert is_refused(place, answer, "use_dpop_nonce"), place.path
        nonce = answer.headers["dpop-nonce"]
        again = client.proof(place, iat=now_s + hour_s, nonce=nonce)
        assert (await client.send(place, again)).status_code == 200, place.path


async def test_dpop_reuse_first_and_second_use_of_jti(client: BoundClient) -> None:
    for number, place in enumerate(client.places):
        jti = f"the-same-jti-{number}"
        first = await client.send(place, client.proof(place, jti=jti))
        assert first.status_code == 200, place.path
        # The same name in another proof, and the very same proof.
        assert is_refused(place, await client.send(place, client.proof(place, jti=jti)))
        proof = client.proof(place)
        assert (await client.send(place, proof)).status_code == 200
        assert is_refused(place, await client.send(place, proof))


async def test_try_dpop_proof_where_ath_is_incorrect(client: BoundClient) -> None:
    await refused_at_resources(client, ath="fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")
    other = (await client.ask_token()).json()["access_token"]
    for place in client.resources:
        answer = await client.send(place, client.proof(place), token=other)
        assert is_refused(place, answer), place.path


async def test_try_dpop_signed_with_a_different_key(client: BoundClient) -> None:
    stranger = BoundClient(client.party)
    stranger.token = client.token
    for place in client.resources:
        assert is_refused(place, await client.send(place, stranger.proof(place))), place.path
    await passes(client)


async def test_try_dpop_proof_with_extra_claims_on_header_and_claims(client: BoundClient) -> None:
    """They should be ignored."""
    await passes(client, header={"tx_id": 1790000000}, tx_id_key=1790000000)


async def test_try_dpop_proof_expecting_case_independent_scheme_and_host(
    client: BoundClient,
) -> None:
    for place in client.places:
        scheme, _, rest = _url(client, place).partition("://")
        proof = client.proof(place, htu=f"{scheme.upper()}://{rest}")
        assert (await client.send(place, proof)).status_code == 200, place.path


async def test_try_dpop_proof_expecting_scheme_based_normalization_of_htu(
    client: BoundClient,
) -> None:
    """A port that is the scheme's own is none; this gateway's is another, and is not left out."""
    for place in client.places:
        url = _url(client, place)
        without = url.replace(":8700", "")
        assert without != url
        assert is_refused(place, await client.send(place, client.proof(place, htu=without)))
        padded = client.proof(place, htu=url.replace("8700", "08700"))
        assert (await client.send(place, padded)).status_code == 200, place.path


async def test_try_resource_access_without_dpop_proof(client: BoundClient) -> None:
    for place in client.resources:
        assert is_refused(place, await client.send(place, "")), place.path


async def test_try_resource_access_with_authorization_type_changed_to_bearer(
    client: BoundClient,
) -> None:
    """Without a proof, and with one as well (RFC 9449 7.2)."""
    for place in client.resources:
        for proof in ("", client.proof(place)):
            answer = await client.send(place, proof, scheme="Bearer")
            assert answer.status_code == 401, place.path
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_check_a_correct_dpop_proof_still_works(client: BoundClient) -> None:
    await refused(client, htm="PUT")
    await passes(client)


# ---------------------------------------------------------------- the other DPoP modules


@pytest.mark.parametrize("offset", [-10, 10])
async def test_ensure_dpop_proof_with_iat_10_seconds_before_and_after_succeeds(
    client: BoundClient, offset: int
) -> None:
    await passes(client, iat=client.town.city.clock.now_us() // 1_000_000 + offset)


async def test_check_dpop_proof_nbf_exp(client: BoundClient) -> None:
    now_s = client.town.city.clock.now_us() // 1_000_000
    await passes(client, nbf=now_s, exp=now_s + 300)
    await refused(client, exp=now_s - 1)


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
async def test_access_token_type_header_case_sensitivity(client: BoundClient, scheme: str) -> None:
    for place in client.resources:
        assert (await client.send(place, scheme=scheme)).status_code == 200, place.path


async def test_ensure_holder_of_key_required(client: BoundClient) -> None:
    """Of a party whose registration says so."""
    await client.town.owner.execute("UPDATE party SET dpop = true")
    answer = await client.ask_token(None)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_dpop_proof"


async def test_happy_flow(client: BoundClient) -> None:
    """The token says the key that it is bound to (RFC 9449 6.1), by another reckoning of it."""
    claims = msgspec.json.decode(unb64url(client.token.split(".")[1]))
    assert claims["cnf"] == {"jkt": client.prover.jkt}
