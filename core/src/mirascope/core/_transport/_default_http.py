"""What the HTTP clients of default clients have in common, and those that an SDK made."""

from __future__ import annotations

import copy
from typing import Any, cast

from ._bounds import bound_error, bound_error_async
from ._opening import watch_request, watch_request_async


def http_client_options(*, asynchronous: bool) -> dict[str, Any]:
    """Return the options of an HTTP client that a plugin makes for calls without `client=`.

    Its requests end with the call that they are sent for. Redirects are not followed: they would
    take the prompt to another server, and often the key. The bodies of errors are bounded. No
    encoding is asked for: a gateway that compresses a stream event by event makes each a member of
    gzip or a frame of zstd of its own, and both libraries read no further than the first.

    Args:
        asynchronous: whether the options are those of an `AsyncClient` of httpx or httpx2, or of
            a `Client`.
    """
    watch, bound = (
        (watch_request_async, bound_error_async) if asynchronous else (watch_request, bound_error)
    )
    return {
        "follow_redirects": False,
        "event_hooks": {"request": [watch], "response": [bound]},
        "headers": {"accept-encoding": "identity"},
    }


def without_redirects(resource: Any) -> Any:
    """Return a resource of an SDK whose requests follow no redirect.

    It is for a client of the user's own whose HTTP client was made by the SDK: nobody has chosen
    to follow redirects there. A user's own HTTP client does what its user has set.

    Args:
        resource: a resource of an SDK that Stainless generated (openai, anthropic), such as
            `client.chat.completions`; anything else is returned as it is.
    """
    http_client: Any = getattr(getattr(resource, "_client", None), "_client", None)
    post: Any = getattr(resource, "_post", None)
    # Private, and the only traces; the same in openai 2.40 to 3.57 and anthropic 1.17 to 2.14.
    made_by_sdk = ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper")
    if type(http_client).__name__ not in made_by_sdk or post is None:
        return resource

    def post_without_redirects(*args: Any, **kwargs: Any) -> Any:
        # `RequestOptions` of the SDK, which `create` has no argument for.
        kwargs["options"] = {**(kwargs.get("options") or {}), "follow_redirects": False}
        return post(*args, **kwargs)

    twin = copy.copy(resource)
    twin._post = post_without_redirects
    # These are cached and refer to the resource that they were made for.
    for name in ("with_streaming_response", "with_raw_response"):
        cast("dict[str, Any]", vars(twin)).pop(name, None)
    return twin
