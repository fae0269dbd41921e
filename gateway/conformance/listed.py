"""What the region's list says of a city, and of its agreements."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.clock import SECOND_US
from gateway.conformance.probe import Probe
from gateway.conformance.report import Report
from gateway.jwk import unb64url
from gateway.recognition.agreements import Agreement, State, conclude
from gateway.recognition.entry import City, EntryRefused, parse_entry
from gateway.recognition.region import Region
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import ListRefused, TrustList, read_trust_list

#: Where this software publishes schemes; the protocol leaves the address to each city.
_SCHEMES: Final = "/v1/recognition/schemes"


#: For whoever looks: the city itself sends an entry, and anybody else has mistyped its address.
_STRANGER: Final = (
    "`qianjiang cities list` shows the cities with their issuers; a city that is not in the list "
    "sends the region its entry first"
)


#: And where there is no list to compare with anything.
_AWAY: Final = (
    "see that the region runs and that this machine reaches it (on one machine: `make cities`); "
    "QIANJIANG_TRUST_LIST_URL is its list's address"
)


class Listed(msgspec.Struct, frozen=True):
    """A city with the others of the list, and its agreements in force."""

    city: City
    others: dict[str, City]
    agreements: tuple[Agreement, ...]

    def open_with(self, code: str) -> frozenset[str]:
        """The scenarios open between it and another city; empty where nothing is."""
        other = self.others.get(code)
        agreed = [each for each in self.agreements if each.other(self.city.entry.code) == code]
        if other is None or not agreed:
            return frozenset()
        terms = max(agreed, key=lambda each: (each.terms.from_, each.id)).terms
        both = self.city.entry, other.entry
        if any(terms.scheme not in each.schemes for each in both):
            return frozenset()
        return terms.scenarios.intersection(*(each.scenarios for each in both))


def read_listed(
    probe: Probe, report: Report, region: Region, url: str, issuer: str, *, loopback: bool
) -> Listed | None:
    """Fetch the list and find the city in it; None where there is nothing to go on with."""
    answer = probe.get(url)
    token = answer.body.decode("ascii", "replace")
    now_us = int(answer.began_s + answer.took_s) * SECOND_US
    listed: TrustList | None = None
    fault = f"{answer.place}: {answer.said}" if answer.status != 200 else None
    if answer.is_none:
        fault = f"the region does not answer at {url}: {answer.said}"
    if fault is None:
        try:
            listed = read_trust_list(
                token, region, iss=region.iss, url=url, now_us=now_us, allow_loopback_http=loopback
            )
        except ListRefused as refused:
            fault = str(refused)
    remedy = _AWAY if answer.is_none else None
    if not report.judge("list.good", fault, f"at {url}", remedy) or listed is None:
        return None
    city = _city(report, listed, token, issuer, loopback=loopback)
    if city is None:
        return None
    return beside_others(city, listed, now_us)


def beside_others(city: City, listed: TrustList, now_us: int) -> Listed:
    """A city of the list with the others, and its agreements at an instant."""
    code = city.entry.code
    others = {each: other for each, other in listed.cities.items() if each != code}
    said = Statements(code).read(listed)
    concluded = (conclude(name, each, now_us) for name, each in said.items())
    in_force = (each for each in concluded if each and each.state is State.IN_FORCE)
    return Listed(city, others, tuple(each for each in in_force if each.other(code)))


def _city(
    report: Report, listed: TrustList, token: str, issuer: str, *, loopback: bool
) -> City | None:
    """The city of an issuer, though it may be left out for its keys."""
    for city in listed.cities.values():
        if city.entry.issuer == issuer:
            report.judge("list.entry", None, f"{city.entry.code} {city.entry.name.zh}")
            report.judge("list.keys", None, f"{len(city.keys) + len(city.operators)} keys")
            return city
    raw = _raw_of(token, issuer)
    if raw is None:
        issuers = ", ".join(each.entry.issuer for each in listed.cities.values())
        fault = f"no entry has the issuer {issuer}; the list has {issuers or 'no city'}"
        report.judge("list.entry", fault, remedy=_STRANGER)
        return None
    try:
        city = parse_entry(raw, allow_loopback_http=loopback)
    except EntryRefused as refused:
        report.judge("list.entry", str(refused))
        return None
    why = next((each for each in listed.left_out if each.name == city.entry.code), None)
    if why is not None and why.reason == "shared-key":
        report.judge("list.entry", None, city.entry.code)
        report.judge("list.keys", why.words)
        return city
    report.judge("list.entry", why.words if why else "left out")
    return None


def _raw_of(token: str, issuer: str) -> bytes | None:
    """The entry as it is written in a list that is signed."""
    members = msgspec.json.decode(unb64url(token.split(".")[1]))
    for entry in members["cities"]:
        if isinstance(entry, dict) and entry.get("issuer") == issuer:
            return msgspec.json.encode(entry)
    return None


def check_schemes(probe: Probe, report: Report, listed: Listed) -> None:
    """The schemes of its agreements are in both entries, and at both cities the same."""
    if not listed.agreements:
        for name in ("agreements.scheme", "schemes.published"):
            report.skip(name, "no agreement of it is in force")
    for agreement in listed.agreements:
        other = listed.others.get(agreement.other(listed.city.entry.code) or "")
        scheme = agreement.terms.scheme
        named = f"{scheme.id}:{scheme.version}"
        both = [each for each in (listed.city, other) if each is not None]
        lacking = [each.entry.code for each in both if scheme not in each.entry.schemes]
        fault = f"{agreement.id}: {named} is not in the entry of {', '.join(lacking)}"
        report.judge("agreements.scheme", fault if lacking else None, f"{agreement.id}: {named}")
        if other is not None:
            _compare(probe, report, f"{_SCHEMES}/{scheme.id}/{scheme.version}", listed.city, other)


def _compare(probe: Probe, report: Report, path: str, city: City, other: City) -> None:
    # The partner is not who is looked at: what it answers is no finding.
    theirs = Probe()
    try:
        wanted = theirs.get(other.entry.issuer + path)
    finally:
        theirs.close()
    found = probe.get(city.entry.issuer + path)
    if found.is_none:
        report.said("schemes.published", found)
        return
    if found.status == 404 or wanted.status != 200:
        who = city if found.status == 404 else other
        report.skip("schemes.published", f"{who.entry.code} does not publish {path}")
        return
    same = found.members == wanted.members and found.members != {}
    fault = None if same else f"{path}: {found.said}, and not what {other.entry.code} publishes"
    report.judge("schemes.published", fault, f"as at {other.entry.code}")
