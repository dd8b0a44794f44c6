"""`python -m one_api` is the command `one-api`."""

from one_api.cli import main

if __name__ == "__main__":
    main()
