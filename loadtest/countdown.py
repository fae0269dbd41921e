"""How long a session still takes: what each part was thought to take, and how true that was."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class Countdown:
    """Parts are begun and ended one after the other.

    Args:
        takes_s: what each part is thought to take, in the order of the parts.
        now: monotonic seconds.
    """

    def __init__(self, takes_s: Mapping[str, float], now: Callable[[], float]) -> None:
        self._left, self._now = dict(takes_s), now
        self._names = list(takes_s)
        self._running, self._since = "", 0.0
        self._thought_s = self._took_s = 0.0

    def begin(self, name: str) -> None:
        """A part begins."""
        self._running, self._since = name, self._now()

    def end(self) -> None:
        """The part that runs has ended; what it took tells something of those to come."""
        self._thought_s += self._left.pop(self._running)
        self._took_s += self._now() - self._since

    def left_s(self) -> float:
        """Seconds to the end of the last part."""
        pace = self._took_s / self._thought_s if self._thought_s else 1.0
        later = sum(takes for name, takes in self._left.items() if name != self._running)
        present = self._left[self._running] * pace - (self._now() - self._since)
        return max(present, 0.0) + later * pace

    def says(self, words: str) -> str:
        """What the running part is doing, in a line."""
        place = self._names.index(self._running) + 1
        left = round(self.left_s())
        time = f"{left // 60} min {left % 60} s" if left >= 60 else f"{left} s"
        return f"{place}/{len(self._names)} {self._running}: {words} · {time} left"
