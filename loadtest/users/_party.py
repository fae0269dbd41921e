"""What a party does: buy a token, keep it, ask."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from gevent.lock import BoundedSemaphore

from gateway.cli.assertion import assertion
from loadtest.users._city import Case
from loadtest.users._crowd import UNEXPECTED, CityUser, Unmet

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#: Tokens are bought again so long before they end.
SPARE_S = 30

#: One token for all machines of a party, as the merchants' guide asks: (token, good until).
_tokens: dict[str, tuple[str, float]] = {}
_buying: defaultdict[str, BoundedSemaphore] = defaultdict(BoundedSemaphore)


class PartyUser(CityUser):
    """A user who can speak for a party."""

    abstract = True

    def ask(self, case: Case, name: str) -> None:
        """Ask, and compare the outcome.

        Raises:
            Unmet: there was no answer, or another outcome than the expected one.
        """
        path = f"/v1/scenarios/{case.scenario}/eligibility"
        body = {"subject": case.subject, "facts": case.facts}
        fields = self.bearer(case.party)
        with self.client.post(
            path, name=name, json=body, headers=fields, catch_response=True
        ) as answer:
            outcome = answer.json()["outcome"] if answer.status_code == 200 else ""
            if outcome == case.expected:
                answer.success()
            elif outcome:
                answer.failure(f"{UNEXPECTED}: {outcome} where {case.expected} was expected")
            else:
                answer.failure(f"{answer.status_code} where an answer was expected")
        if outcome != case.expected:
            raise Unmet

    def as_party(
        self, party: str, status: int, method: str, path: str, name: str, **given: Any
    ) -> Any:
        """A party's request; the JSON of the response. Raises Unmet as `expect` does."""
        return self.told(status, method, path, name, headers=self.bearer(party), **given)

    def bearer(self, party: str) -> dict[str, str]:
        """The header with the party's token, bought if need be."""
        with _buying[party]:
            token, until = _tokens.get(party, ("", 0.0))
            if time.monotonic() > until - SPARE_S:
                token = self._buy(party)
        return {"Authorization": f"Bearer {token}"}

    def _buy(self, party: str) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion(self.city.base_url, self.city.up.party(party)),
        }
        answer = self.told(200, "POST", "/oauth/token", "a party: token", data=form)
        token: str = answer["access_token"]
        _tokens[party] = token, time.monotonic() + answer["expires_in"]
        return token
