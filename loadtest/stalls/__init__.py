"""Why was an answer slow? Evidence gathered beside a run, joined to the slow requests afterwards.

evidence.py    what was found: a cause, a stretch of time; and the join
watch.py       all the gatherers, for as long as a run lasts
scheduler.py   processes that wanted a core and got none (/proc/PID/schedstat)
postgres.py    what PostgreSQL's backends waited for, and what its log says
pulse.py       the collector's pauses and the loop's lag, as the workers themselves remember them
"""
