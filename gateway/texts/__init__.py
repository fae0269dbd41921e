"""Words for citizens, as data: each text has a version, and a hash that acts upon it name."""
