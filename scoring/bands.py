"""The five bands of the score: the only thing about it that a scenario may ever read.

Figures and names were published at the press conference of 2018-11-16
(http://town.zjol.com.cn/cstts/201811/t20181117_8767114.shtml). It leaves open which band an edge
belongs to; that a band includes its lower edge is this project's choice, in the citizen's favour.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from datetime import date

from scoring.words import Words

LOWEST, HIGHEST = 0, 1000  # the scale, 千分制
BANDS_SINCE = date(2018, 11, 16)


class Band(enum.IntEnum):
    """The band of a score, from 1 to 5; higher is better."""

    TO_IMPROVE = 1
    FAIR = 2
    GOOD = 3
    VERY_GOOD = 4
    EXCELLENT = 5

    @property
    def words(self) -> Words:
        """The band's published Chinese name and our English one."""
        return _NAMES[self]

    @property
    def floor(self) -> int:
        """The lowest score of the band."""
        return LOWEST if self is Band.TO_IMPROVE else _EDGES[self - 2]

    @property
    def ceiling(self) -> int:
        """The first score above the band; 1001 for the highest, which includes 1000."""
        return HIGHEST + 1 if self is Band.EXCELLENT else _EDGES[self - 1]


_EDGES = (550, 600, 700, 750)
_NAMES = {
    Band.TO_IMPROVE: Words("信用待提高", "to be improved"),
    Band.FAIR: Words("信用一般", "fair"),
    Band.GOOD: Words("信用良好", "good"),
    Band.VERY_GOOD: Words("信用优秀", "very good"),
    Band.EXCELLENT: Words("信用极好", "excellent"),
}


def band_of(score: int) -> Band:
    """The band of `score`.

    Raises:
        ValueError: `score` is not in 0..1000.
    """
    if not LOWEST <= score <= HIGHEST:
        raise ValueError("a score is between 0 and 1000")
    return Band(1 + bisect_right(_EDGES, score))
