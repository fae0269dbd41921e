"""The measuring tools: what they say of a load is what was sent and what came back."""
