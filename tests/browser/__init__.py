"""Pages in a real browser, phone-sized, in front of a running city."""
