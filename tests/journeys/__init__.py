"""Whole ways through a running city, as its users go them."""
