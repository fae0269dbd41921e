"""Whether a scenario is open to a citizen now, for the citizen's own eyes, by the rule itself.

Pure. No party asks here and none is told, so nothing is recorded. The facts are the example of the
manifest, since no party has sent any; what only a party can mend is left out of what is missing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from gateway.body import Body, Interval, Viewpoint, consent_live, consent_of, values_at
from scenarios import grammar as g
from scenarios.compiler import Compiled
from scenarios.contract import Outcome
from scenarios.units import Unit
from scenarios.universal import ClauseInfo

Shelf = tuple[str, str]  # community, item


class Remedy(enum.StrEnum):
    """What the citizen can do in the app about a clause that is not met."""

    CONSENT = "consent"  # allow the party to ask, or resume it
    PROMISE = "promise"  # sign the scenario's promise
    SCORE = "score"  # read the notice and authorise the score, or see what would help it
    FREQUENCY = "frequency"  # allow more questions a day


class Missing(msgspec.Struct, frozen=True):
    """A clause that is not met, and what the app can do about it, if anything."""

    clause: ClauseInfo
    remedy: Remedy | None


class Openness(msgspec.Struct, frozen=True):
    """What the rule says now; where it cannot tell, nothing is called missing."""

    outcome: Outcome
    missing: tuple[Missing, ...]

    @property
    def open(self) -> bool:
        """Whether a question with these facts would be answered `eligible` now."""
        return self.outcome is Outcome.ELIGIBLE

    @property
    def asks_for_a_promise(self) -> bool:
        """Whether the scenario's promise is missing, and not merely possible."""
        return any(each.remedy is Remedy.PROMISE for each in self.missing)

    @property
    def up_to_the_citizen(self) -> bool:
        """Whether a consent and a promise are all that is missing."""
        own = {Remedy.CONSENT, Remedy.PROMISE}
        return bool(self.missing) and all(each.remedy in own for each in self.missing)


class Example(msgspec.Struct, frozen=True):
    """The facts that are asked with: as they would be sent, and as the rule reads them."""

    sent: dict[str, Any]
    facts: msgspec.Struct
    shelf: Shelf | None


class Surroundings(msgspec.Struct, frozen=True):
    """What is no part of the body: questions answered today by consent, pieces on shelves, and
    whether the word of a visitor's home city is fresh."""

    uses: Mapping[UUID, int] = msgspec.field(default_factory=dict)
    stock: Mapping[Shelf, int] = msgspec.field(default_factory=dict)
    fresh: bool = True


class Prospect:
    """A scenario made ready to be looked at by its citizens; built once."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        named = {fact.name for fact in compiled.manifest.facts}
        self._reads_stock = "stock" in compiled.reads and {"community", "item"} <= named
        self._remedies = _remedies(compiled)

    def example(self, view: Viewpoint, at_us: int) -> Example:
        """The manifest's example as a party sends it: with its own city or community."""
        manifest = self.compiled.manifest
        sent = manifest.example_at(at_us)
        own = {Unit.CITY: view.city, Unit.COMMUNITY: view.community}
        places = {
            fact.name: place
            for fact in manifest.facts
            if fact.name in sent and (place := own.get(fact.unit)) is not None
        }
        try:
            facts: Any = msgspec.convert(sent | places, self.compiled.facts_type)
        except msgspec.ValidationError:
            # A place that the manifest has no room for: the party cannot ask about it either.
            facts = msgspec.convert(sent, self.compiled.facts_type)
        else:
            sent |= places
        # An example that names no item asks about no shelf.
        shelf = self._reads_stock and facts.community and facts.item
        return Example(sent, facts, (facts.community, facts.item) if shelf else None)

    def look(
        self, body: Body, view: Viewpoint, example: Example, at_us: int, around: Surroundings
    ) -> Openness:
        """What a question from this viewpoint would be answered at an instant."""
        slip = consent_of(body, view)
        used_up = False
        if slip is not None and slip.frequency and consent_live(slip, Interval(at_us)):
            used_up = around.uses.get(UUID(bytes=slip.id), 0) >= slip.frequency
        stock = around.stock.get(example.shelf) if example.shelf else None
        values = values_at(
            *(body, view, at_us), slip=slip, used_up=used_up, stock=stock, fresh=around.fresh
        )
        verdict = self.compiled.decide(values, example.facts, at_us)
        if verdict.outcome is Outcome.CANNOT_ASSESS:
            return Openness(verdict.outcome, ())
        missing = tuple(
            Missing(clause, self._remedies.get(clause.id))
            for clause in self.compiled.unmet(verdict)
            if clause.fails is Outcome.STANDARD_PATH
        )
        return Openness(verdict.outcome, missing)


def _remedies(compiled: Compiled) -> dict[str, Remedy]:
    """Clause → what the app can do about it."""
    found = {"consent": Remedy.CONSENT, "used_up": Remedy.FREQUENCY}
    for clause in compiled.manifest.clauses:
        read = {node.name for node in g.walk(clause.when) if isinstance(node, g.Standing)}
        # Where either would do, the promise is the nearer way.
        if "commitment" in read:
            found[clause.id] = Remedy.PROMISE
        elif "band" in read:
            found[clause.id] = Remedy.SCORE
    return found
