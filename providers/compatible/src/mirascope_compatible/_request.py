"""Chat completions: a call to a request. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mirascope.core import (
    BaseTool,
    CallRequest,
    JSONObject,
    Request,
)


def build_request(call: CallRequest) -> Request:
    """Return a call as the body of `POST /chat/completions`.

    Usage is asked for unless `stream_options` says `include_usage: False` or is None: for servers
    that refuse the option, nothing of it is sent then.
    """
    messages = [dict(message) for message in call.messages]
    body: dict[str, Any] = {"model": call.model, "messages": messages, **call.call_params}
    if call.tools:
        body["tools"] = [*map(tool_schema, call.tools), *body.get("tools", ())]
    if call.stream:
        body["stream"] = True
        given: Mapping[str, Any] | None = body.pop("stream_options", {})
        options: dict[str, Any] = {"include_usage": given is not None, **(given or {})}
        if not options["include_usage"]:
            del options["include_usage"]
        if options:
            body["stream_options"] = options
    return Request(messages=messages, kwargs=body)


def tool_schema(tool: type[BaseTool]) -> JSONObject:
    """Return a tool as chat completions describe it."""
    function: JSONObject = {"name": tool.tool_name()}
    if description := tool.tool_description():
        function["description"] = description
    function["parameters"] = tool.tool_parameters()
    return {"type": "function", "function": function}
