"""The big vendors' mock answers."""

import httpx2


def test_aimock_answers_as_openai_does(aimock: str) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    answer = httpx2.post(f"{aimock}/v1/chat/completions", json=body, headers={"Authorization": "Bearer x"}, timeout=30)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello from aimock, 你好"
