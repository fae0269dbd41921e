"""The authorization server: token endpoint, client authentication, metadata, keys."""
