"""`python -m podweave`: the same as the command `podweave`."""

from podweave.cli.main import main

main()
