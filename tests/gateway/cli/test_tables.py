"""What other cities call themselves is shown, and does nothing to the terminal or the command."""

from __future__ import annotations

import pytest

from gateway.cli._tables import copyable, put


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("示例 [/] [red]x", "示例 [/] [red]x"),
        (":smile:", ":smile:"),
        ("\x1b[2J330100 in_force", "\ufffd[2J330100 in_force"),
        ("\x9b2J", "\ufffd2J"),
        ("a\u202eb", "a\ufffdb"),
    ],
)
def test_a_name_is_shown_as_it_is(
    name: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = copyable("city", others=("name",))
    table.add_row("330200", name)
    put(table)
    line = capsys.readouterr().out.splitlines()[1].strip()
    assert line.split(None, 1) == ["330200", shown]
