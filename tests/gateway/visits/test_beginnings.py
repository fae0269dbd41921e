"""Who begins visits without end uses up nobody's share at a home city but a tenth of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.visits.border import Border

BURST = 4


class TestOneAddress:
    @pytest.fixture
    def given(self, given: dict[str, Any]) -> dict[str, Any]:
        return given | {"token_attempts_burst": BURST, "token_attempts_per_s": 0.01}

    async def test_an_address_begins_so_many_visits_and_goes_on_with_what_it_began(
        self, border: Border
    ) -> None:
        visitors = [border.browser() for _ in range(BURST + 1)]
        told = [await visitor.begin() for visitor in visitors]
        assert [answer.status_code for answer in told] == [201] * BURST + [429]
        assert int(told[-1].headers["retry-after"]) > 0
        assert len(border.home.forms) == BURST
        last = visitors[BURST - 1]
        last.home.next_grant = last.home.grant(border.town, last.key.jkt)
        assert (await last.come_back()).status_code == 303
        assert (await last.present()).status_code == 200
