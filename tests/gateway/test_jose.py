"""The token guard: nothing forged passes, no kind passes for another, the honest one does."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import jose
from gateway.claims import RULES, AccessClaims, Claims, Kind
from gateway.jose import Keys, Passed, Reason, Refused, kid_of, sign, token_key, verify
from gateway.jwk import Alg, Key, parse_jwk, unb64url
from tests.gateway import forge
from tests.gateway.attacks import attacks
from tests.gateway.forge import AUDIENCE, ISSUER, KEYS, NOW_S, guard, passes

KINDS = list(Kind)


def reason_of(compact: str, kind: Kind, **how: Any) -> Reason:
    answer = guard(compact, kind, **how)
    assert isinstance(answer, Refused)
    return answer.reason


@pytest.mark.parametrize("kind", KINDS)
def test_no_forged_token_is_accepted_and_none_is_an_error(kind: Kind) -> None:
    accepted = [name for name, compact in attacks(kind) if passes(guard(compact, kind))]
    assert accepted == []


def test_the_catalogue_is_as_large_as_promised() -> None:
    forged = [compact for kind in KINDS for _, compact in attacks(kind)]
    assert len(forged) >= 300
    # Attacks that collapse into one token would make the number a boast.
    assert len(set(forged)) >= 0.95 * len(forged)


@pytest.mark.parametrize(("made", "asked"), list(itertools.product(KINDS, KINDS)))
def test_no_kind_passes_for_another(made: Kind, asked: Kind) -> None:
    # The same issuer, key and audience everywhere: only the kind is left to tell them apart.
    assert passes(guard(forge.honest(made), asked)) == (made is asked)


@pytest.mark.parametrize(("made", "asked"), list(itertools.permutations(KINDS, 2)))
def test_a_borrowed_typ_does_not_help(made: Kind, asked: Kind) -> None:
    dressed_up = forge.token(forge.header(asked), forge.payload(made))
    assert not passes(guard(dressed_up, asked))


def test_a_key_registered_for_one_kind_signs_no_other() -> None:
    keys = forge.registry([Kind.ID])
    assert reason_of(forge.honest(Kind.ASSERTION), Kind.ASSERTION, keys=keys) is Reason.KEY


def test_a_key_of_another_issuer_does_not_sign_for_this_one() -> None:
    keys = forge.registry([])
    keys.rows[Kind.ID, "https://other.example", forge.KID] = Key(
        forge.KID, Alg.ES256, forge.PRIVATE.public_key()
    )
    assert reason_of(forge.honest(Kind.ID), Kind.ID, keys=keys) is Reason.KEY


def test_a_rotated_key_is_refused_from_the_moment_it_is_gone() -> None:
    keys = forge.registry()
    compact = forge.honest(Kind.ACCESS)
    assert passes(guard(compact, Kind.ACCESS, keys=keys))
    del keys.rows[Kind.ACCESS, ISSUER, forge.KID]
    assert reason_of(compact, Kind.ACCESS, keys=keys) is Reason.KEY


def test_an_edwards_key_is_refused_where_the_kind_knows_es256_only() -> None:
    for kind in KINDS:
        text = forge.message(forge.header(kind, alg="EdDSA", kid="ed"), forge.payload(kind))
        compact = f"{text}.{forge.b64(forge.EDWARDS.sign(text.encode()))}"
        assert passes(guard(compact, kind)) == (Alg.EDDSA in RULES[kind].algs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_of_a_signature_is_the_same_message(kind: Kind) -> None:
    text = forge.message(forge.header(kind), forge.payload(kind))
    r, s = forge.scalars(text)
    one, twin = (f"{text}.{forge.b64(forge.joined(r, x))}" for x in (s, forge.N - s))
    first, second = guard(one, kind), guard(twin, kind)
    # Both are valid, by the nature of ECDSA: replay must not be told by the token's text.
    assert isinstance(first, Passed)
    assert isinstance(second, Passed)
    assert first.message_sha256 == second.message_sha256
    assert token_key(one) != token_key(twin)


#: The kinds that end by themselves.
LIVES = {kind: RULES[kind].life_s for kind in KINDS if RULES[kind].life_s}


@pytest.mark.parametrize("kind", LIVES)
@pytest.mark.parametrize("late_s", [-1, 0, 1])
def test_a_token_ends_at_its_exp(kind: Kind, late_s: int) -> None:
    compact = forge.honest(kind, iat=NOW_S, exp=NOW_S + 50)
    answer = guard(compact, kind, now_s=NOW_S + 50 + late_s)
    assert answer == Refused(Reason.EXPIRED) if late_s >= 0 else passes(answer)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ahead_s", [0, 1, 9, 10, 11, 59, 60, 61])
def test_ten_seconds_of_a_fast_clock_are_forgiven(kind: Kind, ahead_s: int) -> None:
    ends = {"exp": NOW_S + ahead_s + 60} if kind in LIVES else {}
    answer = guard(forge.honest(kind, iat=NOW_S + ahead_s, **ends), kind)
    assert passes(answer) if ahead_s <= 10 else answer == Refused(Reason.NOT_YET)


@pytest.mark.parametrize("kind", [Kind.ASSERTION, Kind.ID])
@pytest.mark.parametrize("ahead_s", [10, 11])
def test_nbf_follows_the_same_rule(kind: Kind, ahead_s: int) -> None:
    answer = guard(forge.honest(kind, nbf=NOW_S + ahead_s), kind)
    assert passes(answer) if ahead_s <= 10 else answer == Refused(Reason.NOT_YET)


@pytest.mark.parametrize("kind", LIVES)
@pytest.mark.parametrize("more_s", [-1, 0, 1])
def test_a_life_is_capped_by_kind(kind: Kind, more_s: int) -> None:
    answer = guard(forge.honest(kind, exp=NOW_S + LIVES[kind] + more_s), kind)
    assert passes(answer) if more_s <= 0 else answer == Refused(Reason.LIFETIME)


def test_an_access_token_never_lives_longer_than_300_s() -> None:
    assert LIVES[Kind.ACCESS] <= 300


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.ASSERTION, Kind.ID])
def test_a_check_without_its_expectation_is_a_fault_and_never_skipped(kind: Kind) -> None:
    compact = forge.honest(kind)
    with pytest.raises(ValueError):
        verify(compact, kind, KEYS, issuer=ISSUER, audience=None, now_us=NOW_S * 10**6)
    if kind is not Kind.ASSERTION:
        with pytest.raises(ValueError):
            verify(compact, kind, KEYS, issuer=None, audience=AUDIENCE, now_us=NOW_S * 10**6)
    with pytest.raises(ValueError):
        verify(
            forge.honest(Kind.COMMITMENT),
            Kind.COMMITMENT,
            KEYS,
            issuer=None,
            audience=None,
            now_us=NOW_S * 10**6,
        )


def test_an_assertion_may_name_its_own_issuer_which_its_key_then_proves() -> None:
    compact = forge.honest(Kind.ASSERTION)
    how: dict[str, Any] = {"issuer": None, "audience": AUDIENCE, "now_us": NOW_S * 10**6}
    assert passes(verify(compact, Kind.ASSERTION, KEYS, **how))
    other = forge.honest(Kind.ASSERTION, iss="https://other.example", sub="https://other.example")
    assert verify(other, Kind.ASSERTION, KEYS, **how) == Refused(Reason.KEY)


def test_a_cheap_fault_is_found_before_a_key_is_looked_up() -> None:
    class Untouched:
        def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
            raise AssertionError("a key was looked up")

    keys: Keys = Untouched()
    for name, compact in attacks(Kind.ACCESS):
        if name.startswith(("A11", "A12", "A13", "A8", "A9", "A17")):
            how: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE}
            verify(compact, Kind.ACCESS, keys, **how, now_us=NOW_S * 10**6)


REASONS = {
    "A1 alg 'none', a good signature": Reason.ALGORITHM,
    "A1 alg 'none', no signature": Reason.SHAPE,
    "A2 HS256 keyed with the public key as PEM": Reason.ALGORITHM,
    "A4 DER": Reason.SIGNATURE,
    "A7 kid 'KEY-1'": Reason.KEY,
    "A8 jku (own key)": Reason.HEADER,
    "A11 expired": Reason.EXPIRED,
    "A12 aud ''": Reason.CLAIMS,
    "A12 aud 'https://gateway'": Reason.AUDIENCE,
    "A13 iss 'https://other.example'": Reason.ISSUER,
    "a stranger's key": Reason.SIGNATURE,
    "typ 'jwt'": Reason.TYPE,
}


@pytest.mark.parametrize("name", REASONS)
def test_the_audit_record_learns_the_true_reason(name: str) -> None:
    assert reason_of(dict(attacks(Kind.ACCESS))[name], Kind.ACCESS) is REASONS[name]


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_no_text_is_an_error(text: str) -> None:
    assert not passes(guard(text, Kind.ACCESS))


@given(st.data())
def test_no_changed_character_is_forgiven(data: st.DataObject) -> None:
    compact = TOKEN
    place = data.draw(st.integers(0, len(compact) - 1))
    letter = data.draw(st.sampled_from("Aa0-_.Z9=+ "))
    changed = compact[:place] + letter + compact[place + 1 :]
    assert passes(guard(changed, Kind.ACCESS)) == (changed == compact)


TOKEN = forge.honest(Kind.ACCESS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_token_passes_with_its_claims(kind: Kind) -> None:
    answer = guard(forge.honest(kind), kind)
    assert isinstance(answer, Passed)
    assert answer.kid == forge.KID
    assert answer.members() == forge.CLAIMS[kind]


def test_further_claims_are_ignored_where_the_standard_says_so() -> None:
    for kind in KINDS:
        answer = guard(forge.honest(kind, name="张示例"), kind)
        assert passes(answer) == (kind in (Kind.ASSERTION, Kind.ID))


def test_a_key_name_is_read_only_from_a_well_formed_token() -> None:
    assert kid_of(forge.honest(Kind.ID)) == forge.KID
    assert kid_of("x") is None
    assert kid_of(dict(attacks(Kind.ID))["A8 jku (own key)"]) is None


def test_what_we_sign_passes_our_own_guard() -> None:
    claims = AccessClaims(**forge.CLAIMS[Kind.ACCESS])
    compact = sign(Kind.ACCESS, claims, forge.KID, forge.PRIVATE)
    answer = guard(compact, Kind.ACCESS)
    assert isinstance(answer, Passed)
    signed: Claims = answer.claims
    assert signed == claims


# Signatures that other people made: RFC 7515 A.3 (ES256) and RFC 8037 A.4 (Ed25519).
_A3_KEY = (
    b'{"kty":"EC","crv":"P-256","kid":"a3","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
    b'"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'
)
_A3 = (
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
    "cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
_A4_KEY = (
    b'{"kty":"OKP","crv":"Ed25519","kid":"a4","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
)
_A4 = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)


@pytest.mark.parametrize(("raw", "compact"), [(_A3_KEY, _A3), (_A4_KEY, _A4)])
def test_the_published_examples_verify_and_no_bit_of_their_signatures_is_spare(
    raw: bytes, compact: str
) -> None:
    key = parse_jwk(raw)
    text, _, encoded = compact.rpartition(".")
    signature = unb64url(encoded)
    jose.check_signature(compact, signature, key)
    for place in range(0, 512, 7):
        flipped = bytearray(signature)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(jose.Stop):
            jose.check_signature(f"{text}.{forge.b64(bytes(flipped))}", bytes(flipped), key)
