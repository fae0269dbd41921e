"""What a region keeps about itself, beside its cities and their statements: name, key, serial.

NOT FOR PRODUCTION: the key that signs the list lies in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from gateway.client_keys import new_client_key
from gateway.local.atlas import REGION_HOST
from gateway.local.places import write_private
from gateway.local.region_rules import RegionDeclines
from gateway.recognition.entry import is_origin
from gateway.small_file import read_small

#: Its name in the region's folder.
NAME: Final = "region.json"


class RegionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`region.json`, mode 0600."""

    id: str
    """The region's address, which is also its name as the list's issuer."""
    key: dict[str, str]
    """Private JWK, EC P-256."""
    serial: int = 0
    content: str = ""
    """Names what the serial stands for: SHA-256 in hex."""

    def pinned(self) -> bytes:
        """The file that cities pin: the region's name and the public half of its key."""
        public = {name: value for name, value in self.key.items() if name != "d"}
        return msgspec.json.encode({"iss": self.id, "keys": [public]})


def new(address: str) -> RegionFile:
    """Of a region that begins at an address: an origin without a trailing slash.

    Raises:
        RegionDeclines: it is none.
    """
    if not is_origin(address):
        raise RegionDeclines(
            f"{address!r} is no address of a region: http://host:port or https://host, in small "
            f"letters and without a path, such as http://{REGION_HOST}:8700"
        )
    return RegionFile(address, new_client_key().private)


def read(folder: Path) -> RegionFile:
    """What is kept in the region's folder.

    Raises:
        RegionDeclines: no region was begun there, or somebody altered the file.
    """
    try:
        return msgspec.json.decode(read_small(folder / NAME), type=RegionFile)
    except FileNotFoundError:
        raise RegionDeclines(f"no region in {folder}; `qianjiang region init`") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RegionDeclines(f"{folder / NAME} is not whole; it was altered") from None


def keep(folder: Path, file: RegionFile) -> None:
    """Write it whole or not at all, for its owner only."""
    text = msgspec.json.format(msgspec.json.encode(file)).decode() + "\n"
    write_private(folder / NAME, text)
