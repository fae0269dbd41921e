"""What was said at a desk is taken back there, or in the app, and binds at once."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from gateway.assisted.recording import Said
from gateway.errors import Forbidden, IdempotencyMismatch, NotFound
from gateway.idempotency import act
from scenarios.contract import Outcome
from tests.gateway.assisted.desk import Desk, acts, signs_in
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity


@pytest.fixture
async def desk(town: TestCity) -> Desk:
    """A desk, and a person of a good band who said yes there to everything."""
    await town.party()
    desk = Desk(town)
    await desk.record()
    await _raise_band(town, desk)
    return desk


async def _raise_band(town: TestCity, desk: Desk) -> None:
    await town.owner.execute("UPDATE score SET band = 4")
    await town.city.writer.rebuild(await desk.citizen())


async def test_a_strange_desk_takes_nothing_back(town: TestCity, desk: Desk) -> None:
    await town.party("rival", entity="rival-house")
    with pytest.raises(Forbidden):
        await Desk(town, "nobody").withdraw()
    with pytest.raises(Forbidden):
        await desk.withdraw(scenario="library")
    for what in ("score", "consent", "commitment"):
        with pytest.raises(NotFound):
            await Desk(town, "rival", staff=2).withdraw(what)
    assert (await town.ask(await desk.citizen())).outcome is Outcome.ELIGIBLE


@pytest.mark.parametrize("what", ["score", "consent", "commitment"])
async def test_taken_back_at_the_desk_it_binds_the_next_question_at_every_worker(
    town: TestCity, other_worker: TestCity, desk: Desk, what: Any
) -> None:
    await other_worker.city.parties.refresh(force=True)
    citizen = await desk.citizen()
    assert (await other_worker.ask(citizen)).outcome is Outcome.ELIGIBLE
    receipt = await desk.withdraw(what)
    assert (await other_worker.ask(citizen)).outcome is Outcome.STANDARD_PATH
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    assert (await acts(town))[-1] == f"{what}_withdrawal"
    assert receipt.sha256 == hashlib.sha256(receipt.text.encode()).hexdigest()
    stored = await town.owner.fetchval(
        "SELECT receipt_sha256 FROM assisted_act ORDER BY id DESC LIMIT 1"
    )
    assert stored.hex() == receipt.sha256
    assert "您撤回了以下内容" in receipt.text
    with pytest.raises(NotFound):
        await desk.withdraw(what)


async def test_withdrawals_and_questions_at_once_end_in_one_order(
    town: TestCity, desk: Desk
) -> None:
    citizen = await desk.citizen()

    async def asks_after() -> Outcome:
        await desk.withdraw()
        return (await town.ask(citizen)).outcome

    async def keeps_asking() -> None:
        for _ in range(5):
            await town.ask(citizen)

    after, *_ = await asyncio.gather(asks_after(), keeps_asking(), keeps_asking())
    assert after is Outcome.STANDARD_PATH


async def test_the_same_withdrawal_sent_twice_is_one_act(town: TestCity, desk: Desk) -> None:
    key = act("staff:1", "k", "POST", "/p", b"body")
    first = await desk.withdraw(act=key)
    assert await desk.withdraw(act=key) == first
    assert (await acts(town)).count("consent_withdrawal") == 1
    with pytest.raises(IdempotencyMismatch):
        await desk.withdraw(act=act("staff:1", "k", "POST", "/p", b"other"))


async def test_a_paused_consent_can_be_taken_back_at_the_desk(town: TestCity, desk: Desk) -> None:
    citizen = await desk.citizen()
    (held,), _ = await town.city.consents.held(citizen)
    await town.city.consents.pause(citizen, held.consent.id)
    await desk.withdraw()
    (held,), _ = await town.city.consents.held(citizen)
    assert held.consent.status == "withdrawn"


async def test_what_was_given_in_the_app_to_this_recipient_can_be_taken_back_at_its_desk(
    town: TestCity,
) -> None:
    await town.party()
    desk = Desk(town)
    citizen = await signs_in(town, 1)
    await town.consent(citizen)
    await town.commitment(citizen)  # towards the city, and none of the desk's business
    await desk.withdraw("consent")
    for what in ("commitment", "score"):
        with pytest.raises(NotFound):
            await desk.withdraw(what)


async def test_the_word_on_the_score_given_anew_in_the_app_is_not_the_desks_to_take_back(
    town: TestCity, desk: Desk
) -> None:
    citizen = await desk.citizen()
    notice = town.city.authorisations.notice
    await town.city.authorisations.give(citizen, notice.sha256, (), None)
    with pytest.raises(NotFound):
        await desk.withdraw("score")


async def test_said_again_after_a_withdrawal_it_stands_again(town: TestCity, desk: Desk) -> None:
    for what in ("score", "consent", "commitment"):
        await desk.withdraw(what)
    await desk.record()
    await _raise_band(town, desk)
    citizen = await desk.citizen()
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    (promise,) = await town.city.commitments.of(citizen)
    assert (promise.version, promise.status) == (3, "signed")


async def test_who_signs_in_later_sees_all_of_it_and_takes_it_back_in_the_app(
    town: TestCity, desk: Desk
) -> None:
    await desk.find()
    citizen = await signs_in(town, 1)
    assert citizen == await desk.citizen()
    async with await Callers(town).citizen(citizen) as phone:
        assert body(await phone.get("/v1/me"))["authorisation"]["status"] == "given"
        lines = body(await phone.get("/v1/me/lookups"))["lookups"]
        seen = [(line["kind"], line["act"]) for line in lines]
        done = ["found", "commitment", "consent", "score_authorisation", "enrolment"]
        assert seen == [("assisted", act) for act in done]
        for line in lines:
            assert (line["party"], line["staff"], line["place"]) == (
                *("bike-shop", "示例员工1"),
                "一号柜台",
            )
        (promise,) = body(await phone.get("/v1/me/commitments"))["commitments"]
        assert (promise["device"], promise["jws"]) == (None, None)
        assert promise["assisted"]["receipt_no"] == lines[1]["receipt_no"]
        (consent,) = body(await phone.get("/v1/me/consents"))["consents"]
        history = body(await phone.get(f"/v1/me/consents/{consent['id']}"))["versions"]
        assert [version["staff"] for version in history] == ["示例员工1"]
        path = f"/v1/me/consents/{consent['id']}/withdraw"
        assert body(await phone.post(path))["status"] == "withdrawn"
        history = body(await phone.get(f"/v1/me/consents/{consent['id']}"))["versions"]
        assert [version["staff"] for version in history] == ["示例员工1", None]
        back = f"/v1/me/commitments/{promise['id']}/withdrawal"
        assert body(await phone.post(back))["status"] == "withdrawn"
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    with pytest.raises(NotFound):
        await desk.find()


async def test_lookups_are_read_in_pages_with_acts_of_desks_among_the_questions(
    town: TestCity, desk: Desk
) -> None:
    citizen = await desk.citizen()
    await town.ask(citizen)
    await desk.find()
    await town.ask(citizen)
    whole = (await town.city.lookups.page(citizen, None, 100)).lines
    assert len(whole) == 7
    paged, cursor = [], None
    while True:
        page = await town.city.lookups.page(citizen, cursor, 2)
        paged += page.lines
        cursor = page.next
        if cursor is None:
            break
    assert paged == whole


async def test_others_never_see_a_persons_acts(town: TestCity, desk: Desk) -> None:
    await desk.record(2, said=Said(consent=True))
    other = await desk.citizen(2)
    lines: list[Any] = (await town.city.lookups.page(other, None, 100)).lines
    assert [line.act for line in lines] == ["consent", "enrolment"]
