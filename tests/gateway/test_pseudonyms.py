"""A subject names a citizen to one recipient and to nobody else."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.pseudonyms import SUBJECT_CHARS, Pseudonyms

OLD, NEW = bytes(range(64)), bytes(range(1, 65))
HANGZHOU = Pseudonyms({1: OLD}, "330100")
CITIZENS = st.uuids()
SECTORS = st.integers(0, 2**31 - 1)


@given(CITIZENS, SECTORS)
def test_a_subject_opens_where_it_was_made(citizen: UUID, sector: int) -> None:
    subject = HANGZHOU.subject(citizen, sector)
    assert len(subject) == SUBJECT_CHARS
    assert HANGZHOU.open(subject, sector) == citizen


@given(CITIZENS, SECTORS, SECTORS)
def test_a_subject_opens_nowhere_else(citizen: UUID, sector: int, other: int) -> None:
    if sector != other:
        assert HANGZHOU.open(HANGZHOU.subject(citizen, sector), other) is None


@given(CITIZENS)
def test_another_citys_subject_does_not_open(citizen: UUID) -> None:
    ningbo = Pseudonyms({1: OLD}, "330200")
    assert HANGZHOU.open(ningbo.subject(citizen, 5), 5) is None


def test_a_thousand_recipients_know_a_thousand_names() -> None:
    citizen = UUID(int=1)
    assert len({HANGZHOU.subject(citizen, sector) for sector in range(1000)}) == 1000


def test_a_rotated_key_opens_old_names_and_makes_new_ones() -> None:
    citizen = UUID(int=1)
    rotated = Pseudonyms({1: OLD, 2: NEW}, "330100")
    old = HANGZHOU.subject(citizen, 5)
    assert rotated.open(old, 5) == citizen
    assert rotated.subject(citizen, 5) != old
    assert HANGZHOU.open(rotated.subject(citizen, 5), 5) is None


@given(CITIZENS, st.integers(0, SUBJECT_CHARS - 1), st.characters(codec="ascii"))
def test_an_altered_subject_does_not_open(citizen: UUID, place: int, letter: str) -> None:
    subject = HANGZHOU.subject(citizen, 5)
    altered = subject[:place] + letter + subject[place + 1 :]
    if altered != subject:
        assert HANGZHOU.open(altered, 5) is None


@given(CITIZENS)
def test_the_other_alphabets_spelling_does_not_open(citizen: UUID) -> None:
    subject = HANGZHOU.subject(citizen, 5)
    other = subject.replace("_", "/").replace("-", "+")
    assert other == subject or HANGZHOU.open(other, 5) is None


@given(st.text(max_size=60))
def test_any_text_is_answered_calmly(text: str) -> None:
    assert HANGZHOU.open(text, 5) is None
