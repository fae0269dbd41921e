"""The counter: who signs in there, and what they may ask."""
