"""A day in the city, played by locust: every kind of caller there is, in the shares of a real day.

    qianjiang up &                                   # the city, in another terminal
    python -m locust -f loadtest/users --headless --users 22 --spawn-rate 22 --run-time 60s

It ends with 1 where a budget is missed: too many errors, an outcome that is not the expected one,
or a kind of caller that got nothing done. `--day 1800` lets the day pass in 1,800 s (the default is
an hour), `--up FILE` names another `up.json`. In one process, against this machine only.

The mix. Two figures are the city's, the others are assumptions of ours (示例) from them:

| who                | a day  | why so many                                                    |
|--------------------|--------|----------------------------------------------------------------|
| hospitals ask      | 97,000 | 58.88 million person-times in the 20 months to 2021-03         |
| merchants ask      | 43,000 | 20.84 million person-times in two years in all 31 scenarios,   |
| libraries ask      | 11,000 | and 62 of them by now: 54,000 a day, a fifth of it libraries   |
| citizens sign in   | 40,000 | of 12.5 million citizens one in ten, once a month              |
| … read who asked   | 10,000 | every fourth sign-in                                           |
| … grant a consent  |  4,000 | every tenth sign-in                                            |
| … sign a promise   |  2,000 | every second consent is the first of its scenario              |
| … withdraw         |    400 | a tenth of the consents                                        |

A run begins in the morning: for its first third hospitals ask four times as often as later on.
A library asks for its whole list at once. A merchant's customers come by a power law: those who
consented most of all, the last of the ten thousand hardly ever. A citizen who grants or withdraws
is asked about at once, before and after: a grant is seen and a withdrawal binds, under load too.

What is expected comes from the seeds, not from the gateway: who consented, signed and has which
band, and the outcomes of the demonstration's day (seeds/hangzhou/day.toml).
"""
