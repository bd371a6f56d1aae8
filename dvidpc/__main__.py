"""`python -m dvidpc` is the `dvidpc` command."""

import sys

from dvidpc.cli import main

if __name__ == "__main__":
    sys.exit(main())
