"""How a player is directed: one JSON object a line in, one out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

Act = Callable[..., Any]


class Refused(Exception):
    """The city answered something else than the player hoped for; the message says what."""


def perform(acts: Mapping[str, Act]) -> None:
    """Do what each line says until there are no more.

    A line is `{"do": name, …arguments}`; the answer `{"done": value}` or `{"failed": words}`.
    """
    for line in sys.stdin:
        order = json.loads(line)
        name = order.pop("do")
        try:
            answer = {"done": acts[name](**order)}
        except Refused as refusal:
            answer = {"failed": f"{name}: {refusal}"}
        except Exception as fault:
            answer = {"failed": f"{name}: {type(fault).__name__}: {fault}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
