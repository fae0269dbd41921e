"""What a consent can become, over all consents and instants: pure, repeatable, final where due."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import DAY_US
from gateway.consent_rules import (
    end_of,
    expired,
    frequency_of,
    limited,
    paused,
    resumed,
    state,
    withdrawn,
)
from gateway.errors import Conflict, Malformed
from gateway.store.consent import Consent
from scenarios.manifest import Consent as ConsentText

TIMES = st.integers(0, 100)
TEXT = ConsentText(
    version="1.0.0", fields=("answer",), max_duration_days=1, separate=False, zh="同意", en="yes"
)


def consent(
    status: str, now_us: int, to_us: int, until_us: int | None, frequency: int | None
) -> Consent:
    return Consent(
        id=UUID(int=1),
        version=1,
        citizen=UUID(int=2),
        recipient="r",
        scenario="rent",
        purpose="p",
        fields=("answer",),
        text_version="1.0.0",
        text_sha256=b"",
        from_us=0,
        to_us=to_us,
        frequency=frequency,
        status=status,
        paused_until_us=until_us if status == "paused" else None,
        at_us=0,
        now_us=now_us,
    )


CONSENTS = st.builds(
    consent,
    st.sampled_from(["active", "paused", "withdrawn", "expired"]),
    TIMES,
    TIMES,
    st.none() | TIMES,
    st.none() | st.integers(1, 5),
)
ACTS = st.sampled_from(
    [
        partial(paused, until_us=None),
        partial(paused, until_us=1000),
        resumed,
        withdrawn,
        expired,
        partial(limited, most=None, frequency=3),
    ]
)
Act = Callable[[Consent], Consent]


@given(CONSENTS, ACTS)
def test_every_act_may_be_repeated(before: Consent, act: Act) -> None:
    try:
        once = act(before)
    except Conflict:
        return
    assert act(once) is once


@given(CONSENTS, ACTS)
def test_an_ended_consent_comes_to_life_by_no_act(before: Consent, act: Act) -> None:
    if state(before) not in ("withdrawn", "expired"):
        return
    try:
        after = act(before)
    except Conflict:
        return
    assert state(after) in ("withdrawn", "expired")


@given(CONSENTS)
def test_a_withdrawal_always_succeeds_and_is_final(before: Consent) -> None:
    after = withdrawn(before)
    assert state(after) == "withdrawn"
    for act in (partial(paused, until_us=None), resumed, partial(limited, most=None, frequency=1)):
        with pytest.raises(Conflict):
            act(after)
    assert expired(after) is after


@given(CONSENTS, ACTS)
def test_an_act_changes_nothing_but_its_own(before: Consent, act: Act) -> None:
    try:
        after = act(before)
    except Conflict:
        return
    for name in Consent.__struct_fields__:
        if name not in ("status", "paused_until_us", "frequency"):
            assert getattr(after, name) == getattr(before, name)


@given(CONSENTS)
def test_expiry_is_for_what_has_run_out_only(before: Consent) -> None:
    after = expired(before)
    if before.status in ("active", "paused") and before.to_us <= before.now_us:
        assert after.status == "expired"
    else:
        assert after is before


@given(CONSENTS, TIMES)
def test_a_pause_ends_at_its_time_and_not_before(before: Consent, until_us: int) -> None:
    if state(before) not in ("active", "paused"):
        return
    if until_us <= before.now_us:
        with pytest.raises(Malformed):
            paused(before, until_us)
        return
    during = paused(before, until_us)
    assert state(during) == "paused"
    later = msgspec.structs.replace(during, now_us=until_us)
    assert state(later) == ("active" if until_us < before.to_us else "expired")


@given(st.integers(0, 10), st.none() | st.integers(0, 2 * DAY_US))
def test_a_consent_never_outlives_its_text(now_us: int, until_us: int | None) -> None:
    try:
        end = end_of(TEXT, now_us, until_us)
    except Malformed:
        assert until_us is not None
        return
    assert now_us < end <= now_us + DAY_US


@given(st.none() | st.integers(1, 9), st.none() | st.integers(1, 9))
def test_a_citizen_may_allow_less_but_not_more(most: int | None, wanted: int | None) -> None:
    if most is not None and wanted is not None and wanted > most:
        with pytest.raises(Malformed):
            frequency_of(most, wanted)
    else:
        assert frequency_of(most, wanted) == (wanted or most)
