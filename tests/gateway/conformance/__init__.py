"""A city is looked at from outside, and what is wrong with it is named."""
