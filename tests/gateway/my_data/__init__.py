"""A citizen's own data: exported, corrected, and the account's end."""
