"""What a consent can become: pure functions from its newest version to the next one.

A function returns the very version it was given where the consent is already so, hence every act
may be repeated. Time ends a consent and a pause by itself; `state` is what holds at the instant
at which a version was read.
"""

from __future__ import annotations

import msgspec

from gateway.clock import DAY_US
from gateway.errors import Conflict, Malformed
from gateway.store.consent import Consent
from scenarios.manifest import Consent as ConsentText


def state(consent: Consent) -> str:
    """`active`, `paused`, `withdrawn` or `expired`, as the consent stood when it was read."""
    if consent.status in ("withdrawn", "expired"):
        return consent.status
    if consent.to_us <= consent.now_us:
        return "expired"
    ends = consent.paused_until_us
    if consent.status == "paused" and (ends is None or ends > consent.now_us):
        return "paused"
    return "active"


def paused(consent: Consent, until_us: int | None) -> Consent:
    """No answers from now on, until an instant or until resumed.

    Raises:
        Malformed: the instant has passed.
        Conflict: the consent has ended.
    """
    if until_us is not None and until_us <= consent.now_us:
        raise Malformed([("/until", "must lie ahead")])
    match state(consent):
        case "paused" if consent.paused_until_us == until_us:
            return consent
        case "active" | "paused":
            return msgspec.structs.replace(consent, status="paused", paused_until_us=until_us)
    raise Conflict


def resumed(consent: Consent) -> Consent:
    """Answers again, on the same terms.

    Raises:
        Conflict: the consent has ended; it can only be given anew.
    """
    match state(consent):
        case "active":
            return consent
        case "paused":
            return msgspec.structs.replace(consent, status="active", paused_until_us=None)
    raise Conflict


def withdrawn(consent: Consent) -> Consent:
    """Never again from this consent, whatever it was before (PIPL 15)."""
    if consent.status == "withdrawn":
        return consent
    return msgspec.structs.replace(consent, status="withdrawn", paused_until_us=None)


def limited(consent: Consent, most: int | None, frequency: int | None) -> Consent:
    """At most so many answers a day; `most` is the scenario's own limit.

    Raises:
        Malformed: more than the scenario allows.
        Conflict: the consent has ended.
    """
    if state(consent) not in ("active", "paused"):
        raise Conflict
    allowed = frequency_of(most, frequency)
    if allowed == consent.frequency:
        return consent
    return msgspec.structs.replace(consent, frequency=allowed)


def expired(consent: Consent) -> Consent:
    """The end of its time, said once; a consent whose time has not come stays as it is."""
    if consent.status == "expired" or state(consent) != "expired":
        return consent
    return msgspec.structs.replace(consent, status="expired", paused_until_us=None)


def end_of(text: ConsentText, now_us: int, until_us: int | None) -> int:
    """When the consent ends: at the citizen's word, at the latest when the text says."""
    latest = now_us + text.max_duration_days * DAY_US
    if until_us is None:
        return latest
    if not now_us < until_us <= latest:
        raise Malformed([("/until", "must lie ahead, and not beyond what the text says")])
    return until_us


def frequency_of(most: int | None, wanted: int | None) -> int | None:
    """Questions a day: the scenario's limit, or less where the citizen says so."""
    if wanted is not None and most is not None and wanted > most:
        raise Malformed([("/frequency", "more than the scenario allows")])
    return wanted if wanted is not None else most
