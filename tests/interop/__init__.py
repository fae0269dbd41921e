"""What other implementations read of us, and we of them, where Node is there to run them."""
