"""The demo's people and shops: processes that know the city by its contract only.

They import nothing of the gateway (an import contract sees to it), hold keys of their own, and are
told what to do by one JSON object a line on standard input; each answers with one line.
"""
