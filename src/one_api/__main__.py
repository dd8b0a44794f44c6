"""`python -m one_api` is the command `one-api`."""

import sys

from one_api.cli import main

if __name__ == "__main__":
    sys.exit(main())
