"""What a visitor is called here: by where they come from, for nobody knows more."""

from __future__ import annotations

from gateway.recognition.neighbours import Trust


def visitor_name(trust: Trust, home: str) -> str:
    """The name of a visitor from a city (GB/T 2260), in both languages."""
    city = trust.city(home)
    zh, en = (city.entry.name.zh, city.entry.name.en) if city is not None else (home, home)
    return f"来自{zh}的访客 / visitor from {en}"
