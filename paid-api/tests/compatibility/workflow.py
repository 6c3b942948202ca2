"""The workflow of `tests/compatibility.rs`, with Paid's own Python client: run by that test, never by hand.

Arguments: the collector's URL. Needs paid-python, openai and anthropic; models are answered from memory.
"""

import sys

import httpx

try:  # newer clients of Anthropic have an httpx of their own
    import httpx2
except ImportError:
    httpx2 = httpx

from anthropic import Anthropic
from openai import OpenAI

from paid.tracing import initialize_tracing, paid_tracing, signal
from paid.tracing.wrappers.anthropic.anthropicWrapper import PaidAnthropic
from paid.tracing.wrappers.openai.openAiWrapper import PaidOpenAI

ANSWERS = {
    "/chat/completions": {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15,
                  "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 1}},
    },
    "/embeddings": {
        "object": "list", "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    },
    "/responses": {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5", "status": "completed", "output": [],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 3,
                  "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 15},
    },
    "/messages": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 5, "output_tokens": 17, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3},
    },
}


def client(module):
    """An HTTP client that answers from memory."""

    def answer(request):
        return next(module.Response(200, json=body) for end, body in ANSWERS.items() if request.url.path.endswith(end))

    return module.Client(transport=module.MockTransport(answer))


def main() -> None:
    initialize_tracing(api_key="paid_python", collector_endpoint=sys.argv[1])
    openai = PaidOpenAI(OpenAI(api_key="x", http_client=client(httpx)))
    anthropic = PaidAnthropic(Anthropic(api_key="x", http_client=client(httpx2)))
    messages = [{"role": "user", "content": "hello"}]
    metadata = {"team": {"name": "a", "size": 2}, "tags": ["x", "y"]}
    with paid_tracing("acme", external_product_id="ai-sdr", metadata=metadata):
        openai.chat.completions.create(model="gpt-4o", messages=messages)
        openai.embeddings.create(model="text-embedding-3-small", input="hello")
        openai.responses.create(model="gpt-5", input="hello")
        anthropic.messages.create(model="claude-sonnet-4-5", max_tokens=10, messages=messages)
        signal("email_sent", enable_cost_tracing=True, data={"lead_id": "l1"})
    try:
        with paid_tracing("acme"):
            raise ValueError("failed")
    except ValueError:
        pass


main()
