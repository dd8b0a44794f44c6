"""Transcripts of agents, as Codex and Claude Code and their like hold them, through every pair and back again.

Turn after turn: the model thinks, says something, calls tools at once, is told their results, one of which failed and
one of which is an image, and goes on. What a client was told it sends back as it got it, and the channel's vendor has
to know its own again.
"""

import itertools
import json
from typing import Any, Final

import pytest

from one_api import ir
from one_api.dialects.gemini.parts import UNSIGNED
from one_api.dialects.inbound import INBOUND
from one_api.dialects.outbound import OUTBOUND
from tests.conformance.requests import VENDORS

SIGNING: Final = ("anthropic", "bedrock", "vertex", "gemini", "responses", "converse")
MODELS: Final = {
    "anthropic": "claude-sonnet-4-5",
    "bedrock": "claude-sonnet-4-5",
    "vertex": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
    "responses": "gpt-5.1-codex",
    "converse": "amazon.nova-2-lite-v1:0",
    "openai": "gpt-5.1",
}
PICTURE: Final = "iVBORw0KGgo="
SCHEMA: Final = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
PATCHED: Final = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
PATCH: Final = "*** Begin Patch\n*** Update File: a.py\n*** End Patch"


def turns(vendor: str) -> list[tuple[ir.Said, ...]]:
    """What the model says, turn after turn; its vendor has signed what it thought."""
    return [
        (
            ir.Thinking("Look first.", "c2lnLTE=", vendor),
            ir.Text("I look at the tests."),
            ir.ToolCall("call_1", "shell", '{"command":"ls tests"}'),
            ir.ToolCall("call_2", "shell", '{"command":"cat missing"}'),
        ),
        (
            ir.Redacted("c2lnLTI=", vendor),
            ir.ToolCall("call_3", "apply_patch", json.dumps({"input": PATCH}, separators=(",", ":"))),
        ),
        (ir.Thinking("That is all.", "c2lnLTM=", vendor), ir.Text("Done.")),
    ]


def codex(told: list[dict[str, Any]]) -> dict[str, Any]:
    """`told` are the bodies of the answers so far."""
    after: list[list[dict[str, Any]]] = [
        [output("call_1", "a.py"), output("call_2", "cat: missing: No such file")],
        [custom_output("call_3", [{"type": "input_text", "text": "Success."}, image()])],
        [],
    ]
    said = [[{"role": "developer", "content": "Mind the sandbox."}, {"role": "user", "content": "Fix the test."}]]
    for body, results in zip(told, after, strict=False):
        said += [body["output"], results]
    return {
        "instructions": "You are Codex.",
        "input": list(itertools.chain(*said)),
        "tools": [
            {"type": "function", "name": "shell", "parameters": SCHEMA, "strict": False},
            {"type": "custom", "name": "apply_patch", "description": "Patches files.", "format": {"type": "text"}},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0193-session",
    }


def image() -> dict[str, Any]:
    return {"type": "input_image", "image_url": f"data:image/png;base64,{PICTURE}"}


def output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def custom_output(call_id: str, said: Any) -> dict[str, Any]:
    return {"type": "custom_tool_call_output", "call_id": call_id, "output": said}


def claude_code(told: list[dict[str, Any]]) -> dict[str, Any]:
    mark = {"cache_control": {"type": "ephemeral"}}
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    after: list[list[dict[str, Any]]] = [
        [result("call_1", "a.py"), result("call_2", "cat: missing: No such file", is_error=True)],
        [result("call_3", [{"type": "text", "text": "Success."}, shown])],
        [{"type": "text", "text": "Thanks."}],
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "Fix the test.", **mark}]}]
    for body, results in zip(told, after, strict=False):
        messages += [{"role": "assistant", "content": body["content"]}, {"role": "user", "content": results}]
    return {
        "max_tokens": 32_000,
        "system": [{"type": "text", "text": "You are Claude Code.", **mark}],
        "messages": messages,
        "tools": [{"name": "shell", "input_schema": SCHEMA}, {"name": "apply_patch", "input_schema": PATCHED, **mark}],
        "thinking": {"type": "enabled", "budget_tokens": 10_000},
        "metadata": {"user_id": "user_session"},
    }


def result(call_id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def opencode(told: list[dict[str, Any]]) -> dict[str, Any]:
    """An agent that speaks OpenAI's chat, and sends a message back with all that it got in it."""
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    after: list[list[dict[str, Any]]] = [
        [tool("call_1", "a.py"), tool("call_2", "cat: missing: No such file")],
        [tool("call_3", [{"type": "text", "text": "Success."}, picture])],
        [{"role": "user", "content": "Thanks."}],
    ]
    messages = [{"role": "system", "content": "You are an agent."}, {"role": "user", "content": "Fix the test."}]
    for body, answered in zip(told, after, strict=False):
        messages += [body["choices"][0]["message"], *answered]
    functions = [{"name": "shell", "parameters": SCHEMA}, {"name": "apply_patch", "parameters": PATCHED}]
    return {
        "messages": messages,
        "tools": [{"type": "function", "function": each} for each in functions],
        "reasoning_effort": "medium",
        "max_completion_tokens": 32_000,
    }


def tool(call_id: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def gemini_cli(told: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {"inlineData": {"mimeType": "image/png", "data": PICTURE}}
    after: list[list[dict[str, Any]]] = [
        [
            response("call_1", "shell", {"output": "a.py"}),
            response("call_2", "shell", {"error": "cat: missing: No such file"}),
        ],
        [response("call_3", "apply_patch", {"output": "Success."}, parts=[shown])],
        [{"text": "Thanks."}],
    ]
    contents: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": "Fix the test."}]}]
    for body, parts in zip(told, after, strict=False):
        contents += [body["candidates"][0]["content"], {"role": "user", "parts": parts}]
    declared = [
        {"name": "shell", "parametersJsonSchema": SCHEMA},
        {"name": "apply_patch", "parametersJsonSchema": PATCHED},
    ]
    return {
        "systemInstruction": {"parts": [{"text": "You are an agent."}]},
        "contents": contents,
        "tools": [{"functionDeclarations": declared}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"}},
    }


def response(call_id: str, name: str, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"id": call_id, "name": name, "response": said, **more}}


AGENTS: Final = {"responses": codex, "anthropic": claude_code, "openai": opencode, "gemini": gemini_cli}


def held(client: str, wire: str) -> tuple[ir.Request, Any]:
    """The whole conversation of an agent on a channel: as it was read last, and as it was sent on."""
    told: list[dict[str, Any]] = []
    for said in turns(VENDORS.get(wire, "openai")):
        asked = AGENTS[client](told)
        answer = ir.Answer(id=f"x{len(told)}", model="m", blocks=said, reason="stop")
        body = INBOUND[client].encode_answer(answer, model="m", created=1, asked=asked)
        told.append(json.loads(body))
    request = INBOUND[client].decode_request(AGENTS[client](told), model=MODELS[wire])
    return request, json.loads(OUTBOUND[wire].encode_request(request).body)


def said_by(request: ir.Request) -> list[ir.Said]:
    """Without what Google lets stand for a signature that none of its models gave."""
    said = [block for turn in request.turns if turn.role == "assistant" for block in turn.blocks]
    return [block for block in said if block != ir.Redacted(UNSIGNED, "gemini")]


def results(request: ir.Request) -> list[tuple[str, tuple[str, ...], bool]]:
    """What tools gave, and whether there was a picture."""
    found = [block for turn in request.turns for block in turn.blocks if isinstance(block, ir.ToolResult)]
    return [
        (
            block.call_id,
            tuple(each.text.removeprefix("Error: ") for each in block.content if isinstance(each, ir.Text)),
            any(isinstance(each, ir.Image) for each in block.content),
        )
        for block in found
    ]


@pytest.mark.parametrize("wire", sorted(MODELS))
@pytest.mark.parametrize("client", AGENTS)
def test_an_agent_sends_back_what_the_model_said(client: str, wire: str) -> None:
    """Read again, its turns are those of the model, block for block, in their order and with their signatures."""
    request, _ = held(client, wire)
    assert said_by(request) == [block for said in turns(VENDORS.get(wire, "openai")) for block in said]
    assert results(request) == [
        ("call_1", ("a.py",), False),
        ("call_2", ("cat: missing: No such file",), False),
        ("call_3", ("Success.",), True),
    ]


@pytest.mark.parametrize("wire", SIGNING)
@pytest.mark.parametrize("client", AGENTS)
def test_a_vendor_gets_its_own_thoughts_back(client: str, wire: str) -> None:
    _, sent = held(client, wire)
    found = json.dumps(sent)
    assert all(signature in found for signature in ("c2lnLTE=", "c2lnLTI=", "c2lnLTM="))
    assert all(word in found for word in ("ls tests", "Begin Patch", "a.py", "No such file", PICTURE, "Done."))


@pytest.mark.parametrize("wire", [wire for wire in MODELS if wire in INBOUND])
@pytest.mark.parametrize("client", AGENTS)
def test_what_is_sent_means_what_was_asked(client: str, wire: str) -> None:
    """Read as the channel's server reads it. A thought that only its own vendor knows is not told to OpenAI's chat."""
    request, sent = held(client, wire)
    again = INBOUND[wire].decode_request(sent, model=MODELS[wire])
    kept = (ir.Text, ir.ToolCall) if wire == "openai" else (ir.Text, ir.ToolCall, ir.Thinking, ir.Redacted)
    assert [block for block in said_by(again) if isinstance(block, kept)] == [
        block for block in said_by(request) if isinstance(block, kept)
    ]
    assert [each[:2] for each in results(again)] == [each[:2] for each in results(request)]
    assert [(tool.name, tool.schema) for tool in again.tools] == [(tool.name, tool.schema) for tool in request.tools]
    assert "".join(text.text for text in request.system) == "".join(text.text for text in again.system).replace(
        "\n", ""
    )


@pytest.mark.parametrize("wire", ["bedrock", "vertex", "converse"])
def test_the_marks_of_what_to_keep_arrive_where_there_are_any(wire: str) -> None:
    _, sent = held("anthropic", wire)
    assert json.dumps(sent).count("cachePoint" if wire == "converse" else "cache_control") >= 2
