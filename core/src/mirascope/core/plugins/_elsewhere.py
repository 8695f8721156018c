"""Providers of Mirascope v1 that have no plugin of this project: how their models are called."""

from __future__ import annotations

from typing import Final

_BY_PROTOCOL: Final = (
    "a server that speaks chat completions works through compatible.call(…, base_url=…), or "
    "through openai.call(…, client=OpenAI(base_url=…))"
)
_BY_HOST: Final = "it is a host of 'compatible', as in compatible.call(…, host={!r})"

ELSEWHERE: Final = {
    "azure": "use 'openai' with client=AzureOpenAI()",
    "bedrock": "use 'anthropic' with client=AnthropicBedrock() for Claude",
    "cohere": _BY_PROTOCOL,
    "gemini": "use 'google', as in google.call('gemini-2.5-flash')",
    "groq": _BY_HOST.format("groq"),
    "litellm": _BY_PROTOCOL,
    "mistral": _BY_HOST.format("mistral"),
    "vertex": "use 'google' with client=genai.Client(vertexai=True)",
    "xai": _BY_HOST.format("xai"),
}
"""What to write in place of each. A plugin of somebody else's may have any of these names."""
