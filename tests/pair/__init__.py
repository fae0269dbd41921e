"""Two live cities and their region, for everybody's tests: the fixture `pair`, once for a run.

`pair.a` is Hangzhou (330100), `pair.b` Ningbo (330200): each has two gateway workers, an identity
provider and a background worker, over sockets, and a database of its own; `pair.region` publishes
the list that says so of them, which every worker knows by then. They live in a process of their own
(`python -m tests.pair FOLDER`), so that no event loop of a test meets theirs. What a test takes
away it gives back:

    with pair.region.without("330200"): ...     # expelled
    with pair.region.suspended("330100"): ...   # by both operators of a city

`pair.a.person(band=4)` makes a citizen whose score is just so and returns the login.
`Traveller()` is somebody's browser, which goes between the cities.
"""

from tests.pair.sides import Pair, RegionSide, Side, open_pair
from tests.pair.traveller import Traveller

__all__ = ["Pair", "RegionSide", "Side", "Traveller", "open_pair"]
