"""Directing the players: each a process of its own that knows only the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from gateway.errors import GatewayError
from gateway.processes import tethered


class StepFailed(GatewayError):
    """A player could not do what was asked; the message says what the city answered."""


class Player:
    """One process, told one thing at a time."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            tethered([sys.executable, "-m", f"gateway.local.players.{module}"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, order: str, /, **given: Any) -> Any:
        """Tell it to do something and wait for the result.

        Raises:
            StepFailed: it could not.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": order, **given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise StepFailed(f"{order}: the player ended")
        answer = json.loads(line)
        if "failed" in answer:
            raise StepFailed(answer["failed"])
        return answer["done"]

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # closes both pipes: the player's input has ended, and so does it
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
