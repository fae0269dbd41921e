"""Scenarios: which benefits there are, by which published rule, in which words. Pure.

In the order in which a manifest becomes an answer:

- `contract.py`: what a scenario may know of a citizen, and what it answers
- `units.py`: what numbers and texts mean, so that fen are never compared with points
- `calendar.py`: dates, holidays and working days in Asia/Shanghai
- `problem.py`: faults of a file, with line and remedy
- `grammar.py`: the closed grammar of clauses
- `manifest.py`: the structs behind `scenario.toml`, and the hashes of its texts
- `universal.py`: the clauses that every scenario asks first
- `facts.py`: the strict struct that a party's facts are decoded into
- `shapes.py`: the static types of clauses
- `checks.py`: everything that is checked before a scenario may be asked
- `closures.py`: clauses as closures, and the instants at which their answers turn
- `compiler.py`: a manifest ready to decide, its revision, and the decision itself
- `sheet.py`: a party's facts, read once for many scenarios
- `ladder.py`: one comparison with many figures, made once
- `sieve.py`: many scenarios asked at once, for those that are open
- `cases.py`: the examples that a rule must agree with
- `registry.py`: the folders `rent`, `library`, `hospital`, `points`, `recognition`, loaded
- `schemes.py`: which tier of one city is which band in another
- `scheme_text.py`: the text of such a table, with line and remedy of every fault
"""
