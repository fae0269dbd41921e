"""The counter: parties' staff with accounts of their own, for shops without developers."""
