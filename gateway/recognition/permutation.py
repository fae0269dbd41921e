"""A keyed permutation of 2^20 places, of one place or of a whole list of bits at once. Pure.

A balanced Feistel network of ten rounds, as many as FF1 has (NIST SP 800-38G): a place is a row and
a column of ten bits each, and every round adds to one of them, bit by bit, a secret function of the
other. The functions are random tables, drawn from SHAKE256 over the key.

Python is slow on a million places one by one, so a list of bits is permuted as one large number.
To flip a bit of every column where a condition of the row holds is to exchange bits that lie a
fixed distance apart, under a mask; a hundred such exchanges are the whole permutation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

#: Places: a row times `_SIDE` and a column.
PLACES: Final = 1 << 20

_HALF = 10
_SIDE = 1 << _HALF
_ROUNDS = 10
_TABLE = _SIDE // 8  # bytes of one bit of a function, for each of its arguments
_ROW = _SIDE // 8


class Permutation:
    """One permutation.

    Args:
        key: at least 16 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        stream = hashlib.shake_256(b"places/v1/" + key).digest(_ROUNDS * _HALF * _TABLE)
        tables = [stream[at : at + _TABLE] for at in range(0, len(stream), _TABLE)]
        self._rounds = [tables[at : at + _HALF] for at in range(0, len(tables), _HALF)]

    def place(self, place: int) -> int:
        """Where a place goes.

        Raises:
            ValueError: there is no such place.
        """
        if not 0 <= place < PLACES:
            raise ValueError("no such place")
        row, column = divmod(place, _SIDE)
        for number, tables in enumerate(self._rounds):
            if number % 2:
                row ^= _value(tables, column)
            else:
                column ^= _value(tables, row)
        return row * _SIDE + column

    def bits(self, raw: bytes) -> bytes:
        """A list of bits with each where its place goes; entry `i` is bit `i mod 8`, from the least
        significant, of byte `i div 8`. Takes some 20 ms.

        Raises:
            ValueError: there are more or fewer than `PLACES`.
        """
        if len(raw) * 8 != PLACES:
            raise ValueError("not as many bits as places")
        bits = int.from_bytes(raw, "little")
        for number, tables in enumerate(self._rounds):
            for mask, distance in _exchanges(number, tables):
                moved = (bits ^ (bits >> distance)) & mask
                bits ^= moved | (moved << distance)
        return bits.to_bytes(len(raw), "little")


def _value(tables: list[bytes], argument: int) -> int:
    return sum(
        (table[argument >> 3] >> (argument & 7) & 1) << at for at, table in enumerate(tables)
    )


def _exchanges(number: int, tables: list[bytes]) -> Iterator[tuple[int, int]]:
    """Of a round: which bits change places with those so far above them."""
    for at, table in enumerate(tables):
        if number % 2:  # a bit of the row, by the column
            yield int.from_bytes(table * _SIDE, "little") & _lower(at + _HALF), _SIDE << at
        else:  # a bit of the column, by the row
            yield int.from_bytes(_rows(table), "little") & _lower(at), 1 << at


def _rows(table: bytes) -> bytes:
    """A bit for each row, as the whole of it."""
    digits = f"{int.from_bytes(table, 'little'):0{_SIDE}b}"[::-1].encode()
    return digits.replace(b"1", b"\xff" * _ROW).replace(b"0", bytes(_ROW))


@lru_cache(maxsize=2 * _HALF)
def _lower(bit: int) -> int:
    """The places in whose number a bit is 0."""
    width, mask = 1 << bit, (1 << (1 << bit)) - 1
    while width < PLACES // 2:
        mask |= mask << (2 * width)
        width *= 2
    return mask
