"""The door from outside: a real server on a real port, attacked."""
