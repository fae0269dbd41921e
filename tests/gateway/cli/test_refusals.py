"""A command called wrongly says what to do in one line; nobody is shown a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["worker"], "QIANJIANG_ISSUER"),
        (["scenarios", "publish", "--owner-url", "nonsense", "--city", "330100"], "invalid DSN"),
        (["scenarios", "check", "."], "is a directory"),
    ],
)
def test_a_command_called_wrongly_says_so_in_one_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QIANJIANG_ISSUER", raising=False)
    done = CliRunner().invoke(main, words)
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit)
    assert said in done.output.splitlines()[-1]


def test_one_manifest_is_counted_as_one(tmp_path: Path) -> None:
    broken = tmp_path / "scenario.toml"
    broken.write_text("id = parking")
    assert (
        "Error: 1 fault\n" in CliRunner().invoke(main, ["scenarios", "check", str(broken)]).output
    )
