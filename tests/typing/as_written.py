# mypy: allow-untyped-defs, allow-incomplete-defs
"""The document's first snippet as it is written, without an annotation of its result."""

from __future__ import annotations

from typing import assert_type

from mirascope.core import openai
from openai.types.chat import ChatCompletionChunk


@openai.call(model="gpt-4o", stream=True)
def recommend_book(genre: str):
    """Recommend a {genre} book."""


stream = recommend_book(genre="fantasy")
assert_type(stream, openai.OpenAIStream[openai.OpenAICallResponseChunk])

for chunk, _ in stream:
    print(chunk.content, end="", flush=True)
    assert_type(chunk.chunk, ChatCompletionChunk)
