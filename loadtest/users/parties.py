"""Those who ask: merchants, hospitals in the morning, libraries with their lists."""

from __future__ import annotations

import random

from loadtest.popularity import cumulative
from loadtest.users._party import PartyUser

#: The morning is the first third of the day, in which hospitals ask four times as often.
MORNING, IN_THE_MORNING, LATER = 1 / 3, 2.0, 0.5


class Merchant(PartyUser):
    """A shop whose customers come by a power law."""

    weight = 4
    a_day = 43_000

    def begin(self) -> None:
        """Know the customers."""
        self._customers = self.city.customers
        self._weights = cumulative(len(self._customers), "zipf")

    def act(self) -> None:
        """A customer stands at the till."""
        (case,) = random.choices(self._customers, cum_weights=self._weights)
        self.ask(case, "a merchant asks")


class Hospital(PartyUser):
    """The hospitals' counters, crowded in the morning."""

    weight = 8
    a_day = 97_000

    def begin(self) -> None:
        """Know the patients."""
        self._patients = self.city.cases("hospital")

    def pace(self) -> float:
        """Four times as fast in the morning."""
        return IN_THE_MORNING if self.day_share() < MORNING else LATER

    def act(self) -> None:
        """A patient comes."""
        self.ask(random.choice(self._patients), "a hospital asks")


class Library(PartyUser):
    """A library that asks for its whole list, one after the other."""

    weight = 1
    list_length = 12
    a_day = 11_000 / list_length

    def begin(self) -> None:
        """Know the readers."""
        readers = self.city.cases("library")
        self._list = [readers[n % len(readers)] for n in range(self.list_length)]

    def act(self) -> None:
        """The list, from top to bottom."""
        for case in self._list:
            self.ask(case, "a library asks")
