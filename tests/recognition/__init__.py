"""Two live cities over sockets: what one says of its citizens, and what the other makes of it."""
