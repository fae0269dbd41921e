"""An answer as a party reads it: what is the same for everybody is encoded once per scenario."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.clock import rfc3339
from gateway.decision import Answer
from gateway.keys import b64url
from scenarios.compiler import Compiled
from scenarios.contract import Outcome

_encoder = msgspec.json.Encoder()
_OUTCOMES = {outcome: outcome.wire.encode() for outcome in Outcome}


class Policy(msgspec.Struct, frozen=True):
    """Which rules answered: scenario and revision (SHA-256 of the whole policy)."""

    scenario: str
    revision: str


class Freshness(msgspec.Struct, frozen=True):
    """How old what the answer rests on may be. Consent is never older than `decided_at`."""

    score_as_of: str | None
    decided_at: str


class EligibilityAnswer(msgspec.Struct, frozen=True):
    """All that a party learns: the shape of what `Wire.encode` writes. `obligations` (what it owes
    the citizen with this benefit) and `policy` are the same for everybody and encoded once."""

    decision_id: str
    outcome: str
    obligations: msgspec.Raw
    valid_until: str
    policy: msgspec.Raw
    freshness: Freshness
    receipt: str


class Wire:
    """One scenario on the wire, prepared once: where its facts point, and its answer."""

    def __init__(self, scenario: Compiled) -> None:
        self.scenario = scenario
        self.scope = f"scenario:{scenario.id}"
        # What is the same for everybody, in the order of `EligibilityAnswer`.
        policy = _encoder.encode(Policy(scenario.id, b64url(scenario.revision)))
        obligations = _encoder.encode(scenario.manifest.obligations)
        self._after_outcome = b'","obligations":%b,"valid_until":"' % obligations
        self._after_valid = b'","policy":%b,"freshness":{"score_as_of":' % policy
        named = {fact.name for fact in scenario.manifest.facts}
        # Where the facts do not say which item is meant, its stock is simply not known.
        self._reads_stock = "stock" in scenario.reads and {"community", "item"} <= named

    def shelf(self, facts: Any) -> tuple[str, str] | None:
        """The community and item whose stock the scenario reads."""
        if not self._reads_stock or not facts.community or not facts.item:
            return None
        return facts.community, facts.item

    def encode(self, answer: Answer) -> bytes:
        """The answer's JSON; its size depends on nothing about the citizen."""
        as_of = answer.score_as_of
        return b"".join(
            (
                b'{"decision_id":"',
                str(answer.decision).encode(),
                b'","outcome":"',
                _OUTCOMES[answer.outcome],
                self._after_outcome,
                rfc3339(answer.valid_until_us).encode(),
                self._after_valid,
                b'"%b"' % as_of.isoformat().encode() if as_of else b"null",
                b',"decided_at":"',
                rfc3339(answer.at_us).encode(),
                b'"},"receipt":"',
                b64url(answer.receipt).encode(),
                b'"}',
            )
        )
