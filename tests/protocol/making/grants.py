"""`grants.json`: grants and the acceptance of section 7, one fault each."""

from __future__ import annotations

from tests.protocol.making import grant_acceptance as beside
from tests.protocol.making import grant_faults as itself
from tests.protocol.making.cases import Group
from tests.protocol.making.grant import GIVEN


def make() -> Group:
    """The file."""
    group = Group(
        "Section 7: does this city accept the grant `assertion` at `now`, and what opens? "
        "`cities`, `agreements` (those in force) and `trust_until` are what a good trust list "
        "says; `status` is what the last good status list said.",
        GIVEN,
    )
    for part in (beside.good, itself.form, itself.payloads, itself.parties, itself.times):
        part(group)
    for part in (beside.terms, beside.bindings, beside.once, beside.status_bits):
        part(group)
    return group
