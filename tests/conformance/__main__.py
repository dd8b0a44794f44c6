"""`python -m tests.conformance` prints the matrix; `--write` keeps it in docs/fidelity.md too."""

import sys

from tests.conformance.page import page
from tests.conformance.test_conformance import PAGE


def main() -> None:
    text = page()
    print(text, end="")
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text, "utf-8")


main()
