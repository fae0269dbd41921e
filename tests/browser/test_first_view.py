"""The first view is light and usable at once, on a slow network and a slow phone, and stays still.

Sizes are counted on the wire. The time is asked for by the product's own promise (2 s at 400 kB/s
with a processor four times slower), so it is asserted with the network and the processor slowed by
the browser itself; what is measured is dominated by both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.phone import Phone

MAX_BYTES = 100 * 1024
MAX_MS = 2000
BYTES_PER_S = 400 * 1000
LATENCY_MS = 50
SLOWER = 4

#: Sums layout shifts as the standard says (Layout Instability: those after input do not count), and
#: notes when the page's module listens, which is when its content has been there already.
_SHIFTS = """
addEventListener("DOMContentLoaded", () => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
  }).observe({type: "layout-shift", buffered: true});
});
new MutationObserver(() => {
  if (document.documentElement?.dataset.ready) window.usable ??= performance.now();
}).observe(document, {subtree: true, attributes: true, attributeFilter: ["data-ready"]});
"""
#: The page is usable when its main content is there and its module listens.
_USABLE = "html[data-ready=yes] main h1"


def slowed(phone: Phone) -> tuple[Any, dict[str, int]]:
    """The phone's network and processor slowed; bytes received are added up in the dictionary."""
    session = phone.context.new_cdp_session(phone.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_S,
            "uploadThroughput": BYTES_PER_S,
        },
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    received = {"bytes": 0}

    def finished(event: dict[str, Any]) -> None:
        received["bytes"] += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", finished)
    return session, received


@pytest.mark.parametrize(
    "path", ["/app/sign-in", "/app/", "/app/score", "/app/scenarios", "/app/scenarios/rent"]
)
def test_a_first_view_is_light_usable_and_still(phone: Callable[..., Phone], path: str) -> None:
    mine = phone("lin")
    mine.context.add_init_script(_SHIFTS)
    _, received = slowed(mine)
    usable_ms = []
    # The machine's own load is not the page's: the best of three loads, each from nothing.
    for _ in range(3):
        received["bytes"] = 0
        mine.page.goto(path, wait_until="load")
        mine.page.wait_for_selector(_USABLE)
        usable_ms.append(mine.page.evaluate("window.usable"))
        mine.page.wait_for_timeout(300)
        assert received["bytes"] <= MAX_BYTES
        assert mine.page.evaluate("window.shifted") == 0
    assert min(usable_ms) <= MAX_MS


def test_a_shift_and_a_heavy_page_would_be_seen(phone: Callable[..., Phone]) -> None:
    """The control: a page that moves under the reader, and one that fetches too much."""
    mine = phone("lin")
    mine.context.add_init_script(_SHIFTS)
    _, received = slowed(mine)
    mine.page.goto("/app/")
    mine.page.wait_for_timeout(500)  # until it has been painted: only then can it move
    mine.page.evaluate(
        "document.querySelector('h1').before("
        " Object.assign(document.createElement('p'), {textContent: 'x'.repeat(400)}))"
    )
    mine.page.wait_for_timeout(500)
    assert mine.page.evaluate("window.shifted") > 0
    assert received["bytes"] > 1000
    mine.page.evaluate("fetch('/openapi.json').then((answer) => answer.arrayBuffer())")
    for _ in range(50):  # the browser tells of it a moment later
        mine.page.wait_for_timeout(100)
        if received["bytes"] > MAX_BYTES:
            break
    assert received["bytes"] > MAX_BYTES
