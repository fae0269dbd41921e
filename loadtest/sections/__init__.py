"""Sections of a session, each a module with `measure(options, progress)` and its own result.

pairs.py     a decision beside what server and framework charge for nothing
peers.py     decisions beside what people use today
latency.py   an open loop at half the peak, with every stall explained, and at rising loads
authzen.py   a hundred evaluations in a request, and a search over many scenarios
flat.py      big cities, many scenarios, many consents
overload.py  twice and ten times what is let in, with withdrawals beside
calls.py     the calls that are not decisions
stages.py    one decision by stage
memory.py    what a citizen takes of the cache
"""


class NotBuilt(Exception):
    """The gateway does not have what this section measures."""
