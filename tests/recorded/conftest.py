from collections.abc import Callable

import pytest

from tests.recorded.replaying import Say


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """`say(text)` puts a line under the summary of the whole run, whichever process the test runs in."""
    return lambda text: record_property("replayed", text)
