"""`python -m gateway.cli` is `qianjiang`, also where no script was installed."""

from gateway.cli import main

main()
