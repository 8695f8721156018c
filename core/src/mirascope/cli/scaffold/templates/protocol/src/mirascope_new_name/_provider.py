"""The provider: the protocol, over HTTP."""

from mirascope.core.http import HTTPProvider

from ._protocol import NewNameProtocol


class NewNameProvider(NewNameProtocol, HTTPProvider):
    """The address and the key; pool, clients and errors are those of `HTTPProvider`.

    The key is a bearer token: `key_headers` would say otherwise. The body of an error is read in
    the shapes that most servers have: `error_message` and `error` would say otherwise.
    """

    base_url = "https://api.new-name.example"
    base_url_env = "NEW_NAME_BASE_URL"
    api_key_env = "NEW_NAME_API_KEY"
    path = "/v1/answers"
