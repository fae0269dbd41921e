"""Measurements. They need a checkout, are never timed tests, and state ratios inside one run.

A session, and what is made of it
    bench.py            `make bench`: every section in turn, one result with everything in it
    options.py          how much is measured
    sections/           what is measured: a module and a result for each section
    countdown.py        how long it still takes
    conditions.py       under which conditions
    accounts.py         every answered id has exactly one row, and the rest a cause
    figures.py          figures that targets are about; targets.py: the targets, met or not;
                        notes.py: why one was missed
    result.py           the JSON file; results/: those that are published
    tables/             a result as tables
    page/               a result as a page with plots: `python -m loadtest.page RESULT.json`
    quote.py            what docs/performance.md quotes: `python -m loadtest.quote RESULT.json`

Who is asked, by whom, how
    town.py             a city with a shop and its citizens; serving.py: its gateway
    peers/              services that people use today, and the floors: `python -m loadtest.peers`
    baseline.py, bare.py  what answers without deciding
    closed.py           a closed loop for peaks, by wrk.py, or by generator.py where ids count
    open_loop.py        an open loop at a given rate, for latencies and for overload
    offered.py          its plan and its result; lane.py, connection.py: one stream, one connection
    door.py             what became of more than is let in
    stalls/             why was an answer slow? Evidence, and its join to slow answers
    popularity.py       who is asked about how often: uniform, or by a power law
    cpu.py              what processes cost
    users/              a day in the city: `python -m locust -f loadtest/users`

Measurements of their own, which sections run as well
    flat.py             big cities, many scenarios, many consents; sides.py: two sides in turn
    stages.py, way.py   one decision by stage
    calls.py            the calls that are not decisions; requests.py, books.py
    population.py       a city of any size; manifests.py, clauses.py: any number of scenarios
    merchant.py, people.py  citizens written through the one writer
"""
