"""Measurements. They need a checkout, are never timed tests, and state ratios inside one run.

bench.py            `make bench`: decisions beside a framework's hello, and the books afterwards
wrk.py              a closed loop for peaks; generator.py is ours, where every id counts
open_loop.py        an open loop at a given rate, for latencies and for overload
offered.py          its plan and its result; lane.py, connection.py: one stream, one connection
popularity.py       who is asked about how often: uniform, or by a power law
cpu.py              what processes cost
people.py           citizens to be asked about; merchant.py: who asks
baseline.py         the framework's hello
peers/              services that people use today: `python -m loadtest.peers`
users/              a day in the city: `python -m locust -f loadtest/users`
"""
