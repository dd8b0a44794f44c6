"""What may be switched on of what Anthropic tries out."""

import pytest

from one_api.dialects.anthropic import betas


@pytest.mark.parametrize(
    "asked, passed",
    [
        (b"interleaved-thinking-2025-05-14", b"interleaved-thinking-2025-05-14"),
        (b"claude-code-20250219 ,context-management-2099-01-01", b"claude-code-20250219,context-management-2099-01-01"),
        (b"fast-mode-2026-02-01,files-api-2025-04-14,context-1m-2025-08-07", b""),
        (b"effort", b"effort"),
        (b"effort-of-another-2025-01-01,,effort-x", b""),
        (b"\xff\xfe", b""),
        (b"", b""),
    ],
)
def test_only_what_is_listed_is_passed_on_in_any_version(asked: bytes, passed: bytes) -> None:
    assert betas.allowed(asked) == passed
