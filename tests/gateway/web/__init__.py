"""Pages without a browser: what is sent, to whom, with which header fields."""
