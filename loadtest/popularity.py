"""How often each of many is asked about: all alike, or a few very often (a power law)."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import Literal

#: Who comes next. `uniform`: all alike. `zipf`: the n-th with a weight of 1/n, the first by far the
#: most often, as customers of a shop come; of 10,000 the first ten have three tenths of it.
Distribution = Literal["uniform", "zipf"]


def cumulative(count: int, distribution: Distribution) -> list[float]:
    """The summed weights of so many, the most popular first."""
    weights = range(1, count + 1)
    return list(accumulate(1 / n if distribution == "zipf" else 1.0 for n in weights))


def draws(count: int, size: int, distribution: Distribution, seed: int) -> list[int]:
    """So many places in a list of that size, the same for the same seed."""
    chance = Random(seed)  # an order, not a secret
    return chance.choices(range(size), cum_weights=cumulative(size, distribution), k=count)
