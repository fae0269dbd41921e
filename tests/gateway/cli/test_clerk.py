"""How a demo party's staff sign in is printed from up.json, and what is not there is named."""

from __future__ import annotations

from pathlib import Path

import pyotp
from click.testing import CliRunner

from gateway.cli import main
from gateway.local import upfile
from gateway.local.upfile import UpFile, UpStaff

SECRET = "JBSWY3DPEHPK3PXP" * 2


def printed(folder: Path, *words: str) -> tuple[int, str]:
    file = folder / upfile.NAME
    staff = [UpStaff("shop", "ma.li", "three words in a row", SECRET)]
    city = UpFile("http://127.0.0.1:1", "http://127.0.0.2:2", [], [], [], "", staff)
    upfile.write(file, city)
    done = CliRunner().invoke(main, ["clerk", *words, "--up", str(file)])
    return done.exit_code, done.output


def test_login_password_and_the_digits_of_the_moment_are_printed(tmp_path: Path) -> None:
    code, output = printed(tmp_path, "shop")
    said = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert code == 0
    assert (said["login"], said["password"]) == ("ma.li", "three words in a row")
    assert said["address"] == "http://127.0.0.1:1/counter/"
    assert pyotp.TOTP(SECRET).verify(said["digits"], valid_window=1)


def test_a_party_without_staff_is_told_who_has_some(tmp_path: Path) -> None:
    code, output = printed(tmp_path, "nobody")
    assert code == 1
    assert output.strip() == "Error: no staff at 'nobody'; there are: shop"


def test_no_city_is_up_is_said_with_the_remedy(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["clerk", "shop", "--up", str(tmp_path / "none.json")])
    assert done.exit_code == 1
    assert "run `make up` first" in done.output
