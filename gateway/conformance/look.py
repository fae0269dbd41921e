"""One look at a city: everything that can be checked from where one stands."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.conformance.asking import Asker, Asking, skip_asking
from gateway.conformance.endpoints import (
    check_answers,
    check_metadata,
    check_pages,
    check_strangers,
)
from gateway.conformance.listed import check_schemes, read_listed
from gateway.conformance.probe import Probe
from gateway.conformance.report import Finding, Report
from gateway.conformance.status import check_status
from gateway.recognition.region import Region

#: Where this software has its first list; another one's is named.
STATUS_LIST: Final = "/status-lists/1"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """From where a city is looked at: the region's list, and who asks, if anybody does."""

    list_url: str
    region: Region
    asker: Asker | None = None
    loopback: bool = False


def look(url: str, place: Place, status_list: str | None = None) -> list[Finding]:
    """Check the city at an issuer's address; `status_list` is the address of a list of it."""
    report, probe = Report(), Probe()
    try:
        listed = read_listed(
            probe, report, place.region, place.list_url, url, loopback=place.loopback
        )
        if listed is None:
            return report.findings()
        city = listed.city
        if not check_metadata(probe, report, city):
            return report.findings()
        check_schemes(probe, report, listed)
        check_strangers(probe, report, city)
        check_pages(probe, report, city)
        named = status_list is not None
        check_status(probe, report, city, status_list or url + STATUS_LIST, named=named)
        if place.asker is None:
            skip_asking(report, "no client key: set QIANJIANG_KEYS_FILE and QIANJIANG_CITY")
        else:
            Asking(probe, report, listed, place.asker).check()
        check_answers(probe, report, city)
    finally:
        probe.close()
    return report.findings()
