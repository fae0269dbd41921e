"""A mistake on the command line of a measurement is told before anything is measured."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gateway.cli.bench import command


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--only", "nonsense"], "no section nonsense; there are pairs, peers"),
        (["--rounds", "0"], "Invalid value for '--rounds'"),
        (["--workers", "none"], "Invalid value for '--workers'"),
    ],
    ids=["section", "rounds", "workers"],
)
def test_what_there_is_not_is_refused_by_its_name(line: list[str], told: str) -> None:
    done = CliRunner().invoke(command, line)
    assert done.exit_code != 0
    assert told in done.output
