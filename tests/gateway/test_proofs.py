"""A DPoP proof is accepted once in the whole city, whatever happens around it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.clock import SECOND_US
from gateway.dpop import LIFE_S, Proof, Wanted
from gateway.errors import AbnormalUsage, DependencyDown, Overloaded
from gateway.jose import Reason, Refused
from gateway.proofs import MARGIN_S, Proofs
from tests.gateway.city import TestCity
from tests.gateway.prover import Prover, with_other_signature

URL = "https://qianjiang.example/oauth/token"
WANTED = Wanted(method="POST", url=URL)


def proofs_of(town: TestCity, *, waiting_max: int = 100) -> Proofs:
    """A worker's own."""
    city = town.city
    return Proofs(
        city.keys.link, city.clock, city.database, city.forgeries,
        batch_max=8, waiting_max=waiting_max,
    )  # fmt: skip


def made(town: TestCity, by: Prover, **changes: object) -> list[tuple[bytes, bytes]]:
    now_s = town.city.clock.now_us() // SECOND_US
    return [(b"dpop", by.proof("POST", URL, now_s, **changes).encode())]  # type: ignore[arg-type]  # of any type on purpose


async def test_one_proof_sent_fifty_times_to_two_workers_is_accepted_once(town: TestCity) -> None:
    workers = [proofs_of(town), proofs_of(town)]
    headers = made(town, Prover())
    answers = await asyncio.gather(
        *(workers[n % 2].accept(headers, WANTED, "somebody") for n in range(50))
    )
    accepted = [answer for answer in answers if isinstance(answer, Proof)]
    assert len(accepted) == 1
    assert answers.count(Refused(Reason.REPLAYED)) == 49


async def test_two_proofs_in_each_others_way_do_not_wait_for_one_another(town: TestCity) -> None:
    """Batches that hold the same proofs in another order."""
    workers = [proofs_of(town), proofs_of(town)]
    sent = [made(town, Prover()) for _ in range(16)]
    answers = await asyncio.gather(
        *(workers[0].accept(headers, WANTED, "somebody") for headers in sent),
        *(workers[1].accept(headers, WANTED, "somebody") for headers in reversed(sent)),
    )
    assert sum(isinstance(answer, Proof) for answer in answers) == len(sent)


async def test_a_jti_is_its_keys_own(town: TestCity) -> None:
    proofs = proofs_of(town)
    for by in (Prover(), Prover()):
        answer = await proofs.accept(made(town, by, jti="the-same-name"), WANTED, "somebody")
        assert isinstance(answer, Proof)
        again = await proofs.accept(made(town, by, jti="the-same-name"), WANTED, "somebody")
        assert again == Refused(Reason.REPLAYED)


async def test_what_is_refused_is_not_used_up(town: TestCity) -> None:
    proofs, by = proofs_of(town), Prover()
    headers = made(town, by)
    other = Wanted(method="POST", url="https://qianjiang.example/elsewhere")
    assert await proofs.accept(headers, other, "somebody") == Refused(Reason.URL)
    assert isinstance(await proofs.accept(headers, WANTED, "somebody"), Proof)


async def test_a_used_proof_is_remembered_beyond_its_life_and_says_nothing(town: TestCity) -> None:
    by = Prover()
    await proofs_of(town).accept(made(town, by, jti="a-telling-name"), WANTED, "somebody")
    row = await town.owner.fetchrow(
        "SELECT proof, extract(epoch FROM expires - clock_timestamp()) AS left_s FROM dpop_used"
    )
    assert row is not None
    assert LIFE_S < row["left_s"] <= LIFE_S + MARGIN_S
    assert b"a-telling-name" not in row["proof"]


async def test_a_nonce_of_one_worker_is_good_at_the_next(town: TestCity) -> None:
    first, second = proofs_of(town), proofs_of(town)
    demanding = Wanted(method="POST", url=URL, nonce=True)
    by = Prover()
    assert await second.accept(made(town, by), demanding, "x") == Refused(Reason.NONCE)
    given = made(town, by, nonce=first.nonce(), iat=1)
    assert isinstance(await second.accept(given, demanding, "x"), Proof)


async def test_bad_signatures_cost_a_known_amount_of_work(town: TestCity) -> None:
    proofs, by = proofs_of(town), Prover()
    [(name, value)] = made(town, by)
    forged = [(name, with_other_signature(value.decode()).encode())]
    for _ in range(town.city.settings.bad_signatures_max):
        assert await proofs.accept(forged, WANTED, "a-name") == Refused(Reason.SIGNATURE)
    with pytest.raises(AbnormalUsage):
        await proofs.accept(made(town, by), WANTED, "a-name")
    assert isinstance(await proofs.accept(made(town, by), WANTED, "another-name"), Proof)


async def test_while_postgresql_cannot_decide_nothing_is_accepted(town: TestCity) -> None:
    proofs = proofs_of(town)
    async with town.owner.transaction():
        await town.owner.execute("LOCK TABLE dpop_used")
        with pytest.raises((DependencyDown, Overloaded)):
            await proofs.accept(made(town, Prover()), WANTED, "somebody")


async def test_the_queue_is_bounded(town: TestCity) -> None:
    proofs = proofs_of(town, waiting_max=10)
    sent = [made(town, Prover()) for _ in range(30)]
    answers = await asyncio.gather(
        *(proofs.accept(headers, WANTED, "somebody") for headers in sent), return_exceptions=True
    )
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 20
    assert sum(isinstance(answer, Proof) for answer in answers) == 10
