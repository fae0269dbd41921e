"""Status bits: one bit an entry, packed, compressed and written as text (Token Status List 4).

Pure. Entry `i` is bit `i mod 8`, counted from the least significant, of byte `i div 8`. What comes
from another city is inflated into a bounded room, whatever it says of itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

from gateway.errors import GatewayError
from gateway.jwk import unb64url
from gateway.keys import b64url

#: Entries of a list of ours.
SIZE: Final = 1_000_000

#: Bytes that a list from outside may unfold into: 2^20 entries.
RAW_MAX: Final = (1 << 20) // 8

# Bits that are set at random compress best with a short window: there is nothing to find far away,
# and a short distance takes fewer bits to say.
_WINDOW_BITS, _MEMORY_LEVEL = 12, 9


class BitsRefused(GatewayError):
    """A text is not the bits of a list; the message names the cause."""


def raw_of(entries: Iterable[int], size: int = SIZE) -> bytes:
    """The packed bits of a list of `size` entries, with these set.

    Raises:
        ValueError: an entry is not of the list.
    """
    raw = bytearray(-(-size // 8))
    for entry in entries:
        if not 0 <= entry < size:
            raise ValueError("an entry beyond the list")
        raw[entry >> 3] |= 1 << (entry & 7)
    return bytes(raw)


def compressed(raw: bytes) -> bytes:
    """The bits as they are kept: zlib (RFC 1950), as small as it goes."""
    packer = zlib.compressobj(
        zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_FILTERED
    )
    return packer.compress(raw) + packer.flush()


def text_of(packed: bytes) -> str:
    """Compressed bits as a token carries them: base64url."""
    return b64url(packed)


def raw_from(text: str) -> bytes:
    """The packed bits that a token carries.

    Raises:
        BitsRefused: it is not base64url of one whole zlib stream, or unfolds into too much.
    """
    try:
        packed = unb64url(text)
    except ValueError:
        raise BitsRefused("not base64url") from None
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(packed, RAW_MAX + 1)
    except zlib.error:
        raise BitsRefused("not a zlib stream") from None
    if len(raw) > RAW_MAX:
        raise BitsRefused("too many entries")
    if not unpacker.eof or unpacker.unused_data:
        raise BitsRefused("not one whole zlib stream")
    if not raw:
        raise BitsRefused("no entries")
    return raw


def is_set(raw: bytes, entry: int) -> bool | None:
    """Whether an entry's bit is set; None where the list has no such entry."""
    if not 0 <= entry < len(raw) * 8:
        return None
    return bool(raw[entry >> 3] >> (entry & 7) & 1)
