"""Cities recognise each other: schemes, limits, visitors and the freshness of a city's word."""
