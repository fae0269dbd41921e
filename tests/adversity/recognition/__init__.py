"""Cities that recognise each other, attacked: every kind of token at every place, replays over
workers, wrong clocks, partners that are down, slow or lying, withdrawals under load, two dumps."""
