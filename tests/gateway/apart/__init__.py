"""A home city and two visited ones, and what their databases tell whoever has all three."""
