"""The five bands and their edges, as published on 2018-11-16."""

from __future__ import annotations

import pytest

from scoring import BANDS_SINCE, Band, band_of


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, Band.TO_IMPROVE),
        (549, Band.TO_IMPROVE),
        (550, Band.FAIR),
        (551, Band.FAIR),
        (599, Band.FAIR),
        (600, Band.GOOD),
        (601, Band.GOOD),
        (699, Band.GOOD),
        (700, Band.VERY_GOOD),
        (701, Band.VERY_GOOD),
        (749, Band.VERY_GOOD),
        (750, Band.EXCELLENT),
        (751, Band.EXCELLENT),
        (1000, Band.EXCELLENT),
    ],
)
def test_a_band_includes_its_lower_edge(score: int, band: Band) -> None:
    assert band_of(score) is band


@pytest.mark.parametrize("score", [-1, 1001, 10**30])
def test_a_score_off_the_scale_has_no_band(score: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1000"):
        band_of(score)


def test_the_bands_tile_the_scale_without_gap_or_overlap() -> None:
    for score in range(1001):
        assert [band for band in Band if band.floor <= score < band.ceiling] == [band_of(score)]


def test_bands_are_the_integers_a_scenario_compares() -> None:
    assert [int(band) for band in Band] == [1, 2, 3, 4, 5]
    assert BANDS_SINCE.isoformat() == "2018-11-16"


def test_bands_have_their_published_names() -> None:
    names = [band.words.zh for band in Band]
    assert names == ["信用待提高", "信用一般", "信用良好", "信用优秀", "信用极好"]
    assert all(band.words.en for band in Band)
