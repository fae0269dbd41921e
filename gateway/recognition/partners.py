"""The cities to which this one may say something of its citizens now, each with its terms."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.claims import SchemeName
from gateway.clock import SHANGHAI, Clock, from_us
from gateway.parties import Parties, Party, Registration
from gateway.recognition.entry import City
from gateway.recognition.schemes import Schemes
from gateway.recognition.trust import Trust
from scenarios.schemes import Scheme

#: The scenario by which a city asks about another's citizen.
RECOGNITION: Final = "recognition"
#: The one whose cap bounds the deposits that are waived, here and elsewhere.
DEPOSITS: Final = "rent"


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A city in the list, with a party here, an agreement in force and a scheme that is known."""

    code: str
    city: City
    party: Party
    registration: Registration
    scenarios: frozenset[str]
    scheme_name: SchemeName
    scheme: Scheme


class Partners:
    """Finds partners; one instance per worker.

    Args:
        own: the code of this city, which is no partner of itself.
    """

    def __init__(
        self, own: str, trust: Trust, schemes: Schemes, parties: Parties, clock: Clock
    ) -> None:
        self._own, self._trust, self._schemes = own, trust, schemes
        self._parties, self._clock = parties, clock

    def of(self, code: str) -> Partner | str:
        """The partner of a code (GB/T 2260), or in a word why there is none now."""
        now_us = self._clock.now_us()
        city, party = self._trust.city(code), self._parties.of_city(code)
        if city is None or code == self._own:
            return "not-listed"
        if party is None or not party.active:
            return "no-party"
        registration = party.registrations.get(RECOGNITION)
        if registration is None:
            return "not-registered"
        agreed = self._trust.agreed(code, now_us)
        if agreed is None:
            return "no-agreement"
        scheme = self._schemes.get(agreed.scheme.id, agreed.scheme.version)
        if scheme is None or not scheme.is_valid_on(from_us(now_us).astimezone(SHANGHAI).date()):
            return "no-scheme"
        return Partner(
            code=code,
            city=city,
            party=party,
            registration=registration,
            scenarios=agreed.scenarios,
            scheme_name=agreed.scheme,
            scheme=scheme,
        )
