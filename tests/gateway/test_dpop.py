"""What a DPoP proof proves: one key, one method, one address, one token, one moment."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from gateway.dpop import FUTURE_S, LIFE_S, PAST_S, STEP_S, Nonces, Proof, Wanted, judge, normalised
from gateway.jose import Reason, Refused
from tests.gateway import forge
from tests.gateway.forge import NOW_S
from tests.gateway.prover import Prover, with_other_signature

URL = "https://qianjiang.example/v1/scenarios/rent/eligibility"
TOKEN = "header.payload.signature"
NONCES = Nonces(bytes(32))
KEYS = [Prover(forge.PRIVATE), Prover(forge.EDWARDS)]
ONE = KEYS[0]


def judged(proof: str | None, *, now_s: int = NOW_S, **wanted: Any) -> Proof | Refused:
    """The judgement on a request with this one proof."""
    headers = [] if proof is None else [(b"dpop", proof.encode("latin-1"))]
    given: dict[str, Any] = {"method": "POST", "url": URL, "access_token": TOKEN} | wanted
    return judge(headers, Wanted(**given), NONCES, now_us=now_s * 1_000_000)


def reason(proof: str | None, **how: Any) -> Reason:
    answer = judged(proof, **how)
    assert isinstance(answer, Refused)
    return answer.reason


def made(**changes: Any) -> str:
    return ONE.proof("POST", URL, NOW_S, token=TOKEN, **changes)


# ---------------------------------------------------------------- who and what


@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(key.alg))
def test_an_honest_proof_names_the_key_that_made_it(key: Prover) -> None:
    proof = key.proof("POST", URL, NOW_S, token=TOKEN, jti="the-first-one")
    assert judged(proof) == Proof(key.jkt, "the-first-one", NOW_S)
    assert judged(proof, jkt=key.jkt) == judged(proof)


def test_a_proof_by_another_key_is_of_no_use() -> None:
    assert reason(made(), jkt=Prover().jkt) is Reason.BINDING


def test_exactly_one_field_counts() -> None:
    assert reason(None) is Reason.ABSENT
    twice = [(b"dpop", made().encode()), (b"dpop", made().encode())]
    wanted = Wanted(method="POST", url=URL)
    answer = judge(twice, wanted, NONCES, now_us=NOW_S * 1_000_000)
    assert answer == Refused(Reason.REPEATED)
    assert reason(f"{made()}, {made()}") is Reason.SHAPE


@pytest.mark.parametrize("text", ["", ".", "a.b", "a.b.c.d", "é.b.c", "a" * 9000])
def test_what_is_no_token_is_no_proof(text: str) -> None:
    assert reason(text) is Reason.SHAPE


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": ...}, Reason.HEADER),
        ({"alg": ...}, Reason.HEADER),
        ({"jwk": ...}, Reason.HEADER),
        ({"jwk": "text"}, Reason.KEY),
        ({"jwk": ONE.secret_jwk}, Reason.KEY),
        ({"jwk": KEYS[1].secret_jwk}, Reason.KEY),
        ({"jwk": ONE.jwk | {"use": "enc"}}, Reason.KEY),
        ({"jwk": ONE.jwk | {"crv": "P-384"}}, Reason.KEY),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}, "alg": "HS256"}, Reason.KEY),
        ({"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "alg": "PS256"}, Reason.KEY),
        ({"typ": "JWT"}, Reason.TYPE),
        ({"typ": "DPOP+JWT"}, Reason.TYPE),
        ({"typ": "at+jwt"}, Reason.TYPE),
        ({"alg": "none"}, Reason.ALGORITHM),
        ({"alg": "HS256"}, Reason.ALGORITHM),
        ({"alg": "EdDSA"}, Reason.ALGORITHM),
        ({"crit": ["exp"]}, Reason.HEADER),
        ({"b64": False}, Reason.HEADER),
        ({"jku": "https://other.example/keys"}, Reason.HEADER),
        ({"x5c": []}, Reason.HEADER),
        ({"x5u": None}, Reason.HEADER),
    ],
)
def test_a_header_that_is_not_a_proofs_is_refused(header: dict[str, Any], why: Reason) -> None:
    assert reason(made(header=header)) is why


def test_further_members_of_header_and_claims_are_ignored() -> None:
    assert isinstance(judged(made(header={"tx_id": 1}, tx_id_key=2)), Proof)


def test_a_member_written_twice_is_refused() -> None:
    head = forge.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": ONE.jwk})
    body = b'{"jti":"twice-told","htm":"PUT","htm":"POST","htu":"%b","iat":1}' % URL.encode()
    assert reason(forge.token(head, body)) is Reason.CLAIMS


def test_a_signature_of_another_text_or_key_is_refused() -> None:
    assert reason(with_other_signature(made())) is Reason.SIGNATURE
    assert reason(Prover().proof("POST", URL, NOW_S, token=TOKEN, header={"jwk": ONE.jwk})) is (
        Reason.SIGNATURE
    )


@pytest.mark.parametrize("claim", ["jti", "htm", "htu", "iat"])
def test_every_claim_is_needed(claim: str) -> None:
    assert reason(made(**{claim: ...})) is Reason.CLAIMS


@pytest.mark.parametrize(
    "changes",
    [{"jti": "short"}, {"jti": "x" * 129}, {"jti": "nul\x00inside"}, {"jti": 7}, {"iat": "1"},
     {"iat": 1.5}, {"iat": -1}, {"htm": ["POST"]}, {"htu": "https://é.example/"}, {"htu": ""}],
)  # fmt: skip
def test_claims_have_one_form(changes: dict[str, Any]) -> None:
    assert reason(made(**changes)) is Reason.CLAIMS


# ---------------------------------------------------------------- for what


@pytest.mark.parametrize("method", ["GET", "PUT", "post"])
def test_the_method_is_exact(method: str) -> None:
    assert reason(made(htm=method)) is Reason.METHOD


@pytest.mark.parametrize(
    "url",
    [
        "HTTPS://QianJiang.EXAMPLE:443/v1/scenarios/rent/eligibility",
        f"{URL}?a=b#c",
        f"{URL}#c",
        "https://qianjiang.example/v1/%73cenarios/rent/eligibility",
        "https://qianjiang.example/v1/x/../scenarios/./rent/eligibility",
    ],
)
def test_spellings_of_the_address_are_one(url: str) -> None:
    assert isinstance(judged(made(htu=url)), Proof)


@pytest.mark.parametrize(
    "url",
    [
        "http://qianjiang.example/v1/scenarios/rent/eligibility",
        "https://qianjiang.example:8443/v1/scenarios/rent/eligibility",
        "https://other.example/v1/scenarios/rent/eligibility",
        "https://user@qianjiang.example/v1/scenarios/rent/eligibility",
        "https://qianjiang.example/v1/scenarios/rent/eligibility/",
        "https://qianjiang.example/v1/scenarios/rent/Eligibility",
        "https://qianjiang.example/v1/scenarios%2Frent/eligibility",
        "https://qianjiang.example//v1/scenarios/rent/eligibility",
        "https://qianjiang.example/oauth/token",
        "/v1/scenarios/rent/eligibility",
        "https://[::1/v1/scenarios/rent/eligibility",
        "https://qianjiang.example:99999/v1/scenarios/rent/eligibility",
        "https:///v1/scenarios/rent/eligibility",
        "urn:x",
    ],
)
def test_another_address_is_another(url: str) -> None:
    assert reason(made(htu=url)) is Reason.URL


def test_a_query_of_the_request_does_not_matter() -> None:
    assert isinstance(judged(made(), url=f"{URL}?page=2"), Proof)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60))
def test_normalising_is_stable_and_stays_at_its_origin(path: str) -> None:
    once = normalised(f"https://qianjiang.example/{path}")
    assert once is None or once.startswith("https://qianjiang.example/")
    assert once is None or normalised(once) == once


@pytest.mark.parametrize("wrong", [..., None, "", "A" * 43, "é"])
def test_a_proof_at_a_resource_is_made_for_its_token(wrong: Any) -> None:
    assert reason(made(ath=wrong)) is Reason.TOKEN


def test_a_proof_for_one_token_does_not_serve_another() -> None:
    assert reason(made(), access_token="header.payload.other") is Reason.TOKEN


def test_where_no_token_comes_along_its_hash_says_nothing() -> None:
    for proof in (made(), made(ath=...)):
        assert isinstance(judged(proof, access_token=None), Proof)


# ---------------------------------------------------------------- when


@pytest.mark.parametrize("offset", [-PAST_S, -10, 0, 10, FUTURE_S])
def test_clocks_may_differ(offset: int) -> None:
    assert isinstance(judged(made(iat=NOW_S + offset)), Proof)


@pytest.mark.parametrize(
    ("offset", "why"),
    [(-3600, Reason.EXPIRED), (-PAST_S - 1, Reason.EXPIRED),
     (FUTURE_S + 1, Reason.NOT_YET), (3600, Reason.NOT_YET)],
)  # fmt: skip
def test_but_not_by_more(offset: int, why: Reason) -> None:
    assert reason(made(iat=NOW_S + offset)) is why


def test_exp_and_nbf_are_kept_where_a_proof_has_them() -> None:
    assert isinstance(judged(made(nbf=NOW_S, exp=NOW_S + 300)), Proof)
    assert reason(made(exp=NOW_S)) is Reason.LIFETIME
    assert reason(made(nbf=NOW_S + FUTURE_S + 1)) is Reason.LIFETIME


@pytest.mark.parametrize("offset", [-3600, 0, 3600])
def test_with_a_nonce_nothing_rests_on_the_senders_clock(offset: int) -> None:
    proof = made(iat=NOW_S + offset, nonce=NONCES.fresh(NOW_S * 1_000_000))
    assert isinstance(judged(proof, nonce=True), Proof)
    assert isinstance(judged(proof), Proof)


def test_a_nonce_is_needed_where_it_is_demanded() -> None:
    assert reason(made(), nonce=True) is Reason.NONCE


@pytest.mark.parametrize(
    "nonce", ["", "guess", "é", NONCES.fresh(0), Nonces(bytes([1] * 32)).fresh(NOW_S * 1_000_000)]
)
def test_a_nonce_that_was_not_given_out_of_late_is_refused(nonce: str) -> None:
    assert reason(made(nonce=nonce)) is Reason.NONCE


@given(st.integers(0, 4 * STEP_S), st.integers(0, STEP_S - 1))
def test_a_nonce_lives_for_a_minute_or_two(later_s: int, within_s: int) -> None:
    given_s = NOW_S // STEP_S * STEP_S + within_s
    nonce = NONCES.fresh(given_s * 1_000_000)
    lives = NONCES.accepts(nonce, (given_s + later_s) * 1_000_000)
    assert lives or later_s > STEP_S
    assert not lives or later_s < 2 * STEP_S
    # Another worker's clock may be a little behind.
    assert NONCES.accepts(nonce, (given_s - 5) * 1_000_000)


@given(st.integers(-7200, 7200), st.integers(0, LIFE_S * 2), st.booleans())
def test_no_proof_is_good_for_longer_than_it_is_remembered(
    offset: int, later_s: int, has_nonce: bool
) -> None:
    nonce = NONCES.fresh((NOW_S + STEP_S) * 1_000_000) if has_nonce else ...
    proof = made(iat=NOW_S + offset, nonce=nonce)
    if isinstance(judged(proof), Proof) and isinstance(judged(proof, now_s=NOW_S + later_s), Proof):
        assert later_s <= LIFE_S


def test_a_key_of_small_order_signs_nothing() -> None:
    anybodys = {"kty": "OKP", "crv": "Ed25519", "x": forge.b64(bytes(32))}
    key = Prover(ed25519.Ed25519PrivateKey.generate())
    proof = key.proof("POST", URL, NOW_S, token=TOKEN, header={"jwk": anybodys})
    assert reason(proof) is Reason.KEY
