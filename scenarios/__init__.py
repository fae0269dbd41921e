"""The scenarios: a closed grammar, its compiler, and a folder for each scenario. Pure."""
