"""What many scenarios of one recipient see of a standing's body, read in one pass.

The same rules as `values_at` (gateway/body.py), which does it for a single scenario.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from gateway.body import (
    Body,
    ConsentSlip,
    Interval,
    Viewpoint,
    commitments_to,
    consent_live,
    values_at,
)
from scenarios.sieve import Glimpse


def glimpse(
    body: Body,
    view: Viewpoint,
    consents: Mapping[str, ConsentSlip],
    scenarios: Set[str],
    at_us: int,
    *,
    stock: int | None,
    fresh: bool = True,
) -> Glimpse:
    """What these scenarios see at one instant, and how long that stays so.

    `view` names no scenario, and reads what any of them reads. A consent with a daily frequency
    counts as none: a search asks everything at once, so it must neither spend the questions that
    the citizen allowed nor be a way around their number. `fresh` is as in `values_at`.
    """
    span = Interval(at_us)
    consented = [
        name for name, slip in consents.items() if consent_live(slip, span) and not slip.frequency
    ]
    committed = [
        name
        for name, since_us in commitments_to(body, view.sector, scenarios)
        if span.passed(since_us)
    ]
    suspended = [
        name for name, since in body.suspensions if name in scenarios and span.passed(since)
    ]
    values = values_at(body, view, at_us, slip=None, stock=stock)
    return Glimpse(
        msgspec.structs.replace(
            values,
            since_us=max(values.since_us, span.since),
            until_us=min(values.until_us, span.until),
        ),
        consented,
        committed,
        suspended,
        scenarios if "" in body.objections else body.objections,
        None if body.visit is None else body.visit.scenarios if fresh else (),
    )
