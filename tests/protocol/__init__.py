"""The protocol between cities: its schemas and vectors, and whether this gateway keeps them."""
