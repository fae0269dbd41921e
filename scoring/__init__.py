"""From catalogued facts to a score of 0..1000, its band and its reasons. Pure, but for `data`.

In the order in which a record meets them:

- `words`      a text in Chinese and English
- `facts`      a fact about nobody: dimension, value, dates, source; the five years of ZJ 16
- `rules`      the rules a row is refused by, and the closed table of forbidden categories
- `catalogue`  which records of which department may enter at all
- `rows`       one raw row of an import file to a fact, or to the reason why not
- `bands`      the five bands of the score
- `model`      the dated weights, and `score`: an integer sum that anybody can redo
- `explain`    the factors in plain words, what does not count, what would help
- `data`       reads the dated files of `catalogues/` and `models/`
"""

from scoring.bands import BANDS_SINCE, HIGHEST, LOWEST, Band, band_of
from scoring.catalogue import BadData, Catalogue, Entry
from scoring.data import NothingInForce, load_catalogue, load_model
from scoring.explain import Explanation, Help, Line, NotCounted, explain
from scoring.facts import Dimension, Fact, Merit, Sphere, negative_end
from scoring.model import Aside, Factor, Kind, Model, Scored, score
from scoring.rows import COLUMNS, Rejected, check_row
from scoring.rules import Rule
from scoring.words import Words

__all__ = [
    "BANDS_SINCE",
    "COLUMNS",
    "HIGHEST",
    "LOWEST",
    "Aside",
    "BadData",
    "Band",
    "Catalogue",
    "Dimension",
    "Entry",
    "Explanation",
    "Fact",
    "Factor",
    "Help",
    "Kind",
    "Line",
    "Merit",
    "Model",
    "NotCounted",
    "NothingInForce",
    "Rejected",
    "Rule",
    "Scored",
    "Sphere",
    "Words",
    "band_of",
    "check_row",
    "explain",
    "load_catalogue",
    "load_model",
    "negative_end",
    "score",
]
