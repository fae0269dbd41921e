"""A number alone is nobody's word, and a desk overrides nothing that the citizen said alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from gateway.assisted.finding import DESK_MISSES
from gateway.assisted.recording import Said
from gateway.edge.problems import problem_bytes
from gateway.errors import IdentityRefused, NotFound, TooManyRequests
from gateway.identity_number import same_name
from gateway.local.people import person
from gateway.store.citizen import AuthorisationRow
from tests.gateway.assisted.desk import Desk, acts, signs_in, traces
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity

HTML = {"accept": "text/html"}
OTHER = "示例某某"


@pytest.fixture
async def desk(town: TestCity) -> Desk:
    await town.party()
    return Desk(town)


async def word(town: TestCity, citizen: UUID) -> AuthorisationRow:
    """What stands on record last about the score."""
    said = await town.city.authorisations.current(citizen)
    assert said is not None
    return said


async def gives(town: TestCity, citizen: UUID, *leave_out: str) -> None:
    """The citizen authorises in the app."""
    notice = town.city.authorisations.notice
    await town.city.authorisations.give(citizen, notice.sha256, leave_out, None)


async def test_a_number_under_another_name_records_nothing_and_reads_like_any_refusal(
    town: TestCity, desk: Desk
) -> None:
    await signs_in(town)
    before = await traces(town)
    with pytest.raises(IdentityRefused) as refused:
        await desk.record(document=desk.document(1, name=OTHER))
    assert await traces(town) == before
    real: dict[str, Any] = {"id_number": "11010519491231002X", "birthdate": "1949-12-31"}
    with pytest.raises(IdentityRefused) as never:
        await desk.record(document=desk.document(1, **real))
    assert problem_bytes(refused.value) == problem_bytes(never.value)
    await desk.record()  # under the right one


async def test_names_under_which_nobody_is_known_are_tried_a_bounded_number_of_times(
    town: TestCity, desk: Desk
) -> None:
    await signs_in(town)
    for _ in range(DESK_MISSES.burst + 1):
        await desk.record()  # costs nothing
    for _ in range(DESK_MISSES.burst):
        with pytest.raises(IdentityRefused):
            await desk.record(document=desk.document(1, name=OTHER))
    for name in (OTHER, person(1).name):
        with pytest.raises(TooManyRequests):
            await desk.record(document=desk.document(1, name=name))
    with pytest.raises(TooManyRequests):
        await desk.find()


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("张三", " 张　三 ", True),
        ("Lin Yi", "ＬｉｎＹｉ", True),
        ("买买提·艾力", "买买提•艾力", True),
        ("买买提·艾力", "买买提・艾力", True),
        ("张三", "张二", False),
        ("张三", "张三丰", False),
        ("张三", "", False),
    ],
)
def test_the_same_name_may_be_typed_in_several_ways(name: str, other: str, same: bool) -> None:
    assert same_name(name, other) is same
    assert same_name(other, name) is same


async def test_no_counter_gives_again_what_the_citizen_took_back_alone(
    town: TestCity, desk: Desk
) -> None:
    citizen = await signs_in(town)
    await gives(town, citizen)
    await town.city.authorisations.withdraw(citizen, None)
    for _ in range(2):
        await desk.record()
        assert (await word(town, citizen)).status == "withdrawn"
        # Nor by taking back and giving anew, which would make the withdrawal the desk's.
        await desk.withdraw("score")
    await desk.record()
    assert (await word(town, citizen)).status == "withdrawn"
    assert await town.city.authorisations.score(citizen) is None
    assert "score_authorisation" in await acts(town)  # the citizen sees that it was tried
    await gives(town, citizen)
    await desk.record()
    assert (await word(town, citizen)).status == "given"


async def test_the_desk_cannot_tell_whether_the_citizen_took_it_back_alone(
    town: TestCity, desk: Desk
) -> None:
    for number in (1, 2):
        citizen = await signs_in(town, number)
        await gives(town, citizen)
    await town.city.authorisations.withdraw(citizen, None)
    told = []
    for number in (1, 2):
        recorded, found = await desk.record(number)
        assert recorded.receipt is not None
        assert found is not None
        assert "由您在手机上重新授权后才生效" in recorded.receipt.text
        back = await desk.withdraw("score", number)
        with pytest.raises(NotFound):
            await desk.withdraw("score", number)
        told.append(
            (recorded.agreed, len(recorded.receipt.text), len(found.person), len(back.text))
        )
    assert told[0] == told[1]


async def test_what_the_citizen_left_out_stays_out_through_a_withdrawal_at_a_desk(
    town: TestCity, desk: Desk
) -> None:
    citizen = await signs_in(town)
    await gives(town, citizen, "donation")
    await desk.record()
    await desk.withdraw("score")
    await desk.record(leave_out=("honour",))
    said = await word(town, citizen)
    assert (said.status, said.leave_out) == ("given", ("donation", "honour"))


async def test_a_first_sign_in_puts_the_name_right(town: TestCity, desk: Desk) -> None:
    await desk.record(document=desk.document(1, name=OTHER))
    citizen = await desk.citizen()
    assert (await town.city.citizens.person(citizen)).name == OTHER
    assert await signs_in(town) == citizen
    assert (await town.city.citizens.person(citizen)).name == person(1).name
    with pytest.raises(IdentityRefused):
        await desk.record(document=desk.document(1, name=OTHER))
    await desk.record()


@pytest.mark.parametrize("decides", ["given", "withdrawn"])
async def test_a_word_that_only_staff_recorded_is_shown_with_the_notice_until_decided(
    town: TestCity, desk: Desk, decides: str
) -> None:
    await desk.record(said=Said(score=True))
    citizen = await signs_in(town)
    notice = town.city.authorisations.notice.sha256
    async with await Callers(town).citizen(citizen) as phone:
        assert (await word(town, citizen)).status == "given"  # and counts meanwhile
        shown = await phone.get("/app/notice", headers=HTML)
        assert shown.status_code == 200
        assert "工作人员替您记录" in shown.text
        assert 'name="status" value="withdrawn"' in shown.text
        assert "工作人员替您记录" in (await phone.get("/app/", headers=HTML)).text
        told = {"status": decides} | ({"text_sha256": notice.hex()} if decides == "given" else {})
        key = {"idempotency-key": '"k"'}
        answer = await phone.post("/v1/me/score-authorisation", json=told, headers=key)
        assert answer.status_code == 200, answer.text
        shown = await phone.get("/app/notice", headers=HTML)
        assert (shown.status_code == 303) is (decides == "given")
        for page in (shown, await phone.get("/app/", headers=HTML)):
            assert "工作人员替您记录" not in page.text
