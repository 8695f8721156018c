"""Checks of a provider's requests: errors, keys, addresses, clients."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Generator, Mapping
from typing import Any, Final

from ..._errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    MirascopeError,
    NotFoundError,
    PermissionDeniedError,
    ProviderServerError,
    RateLimitError,
    UsageError,
    error_from_status,
)
from ..._transport._clients import is_async_client
from ._check import NotApplicable, check, same, true
from ._driver import KEY, Driver, held, release

_STATUSES: Final[Mapping[int, type[APIError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
    500: ProviderServerError,
    529: ProviderServerError,
}
_ODD: Final = (b"<html>Bad Gateway</html>", b"", b'"text"', b"[1]", b'{"error": null}', b"\xff")


class HTTPChecks(Driver):
    """Requests and their errors."""

    address_variable: str | None = None
    """The environment variable that holds the server's address, if the provider reads one."""
    key_required = True
    """Whether a call without any key must be refused."""

    @check("error.http")
    def test_error_http(self) -> None:
        """HTTP errors are the classes of core, with status, request id and `retry_after`.

        `error_from_status(status, message, headers=…)` makes them all.
        """
        body = self.wire.keyed(self.wire.refused, "no-key")
        for status, kind in _STATUSES.items():
            ids = {"x_request_id": "req-7", "request_id": "req-7"}
            reply = self.whole_reply(body, status, retry_after="3", **ids)
            for is_async in self.modes:
                with self.serve(reply) as server:
                    connection = self.connection(server.url, KEY, is_async=is_async)
                    error = self.ask(is_async, connection=connection).error
                    same(len(server.requests), 1, "the number of requests")
                same(type(error), kind, f"the error of HTTP {status}")
                assert isinstance(error, APIError)  # noqa: S101 - narrows the type
                same(error.status, status, "its status")
                same(error.request_id, "req-7", "its request_id")
                same(error.retryable, error_from_status(status, "").retryable, "its retryable")
                if isinstance(error, RateLimitError):
                    same(error.retry_after, 3.0, "its retry_after")
                true("no-key is wrong" in str(error), f"the server's own text is not in {error}")

    @check("error.odd_body")
    def test_error_odd_body(self) -> None:
        """An error's body may be anything: a page, nothing, another shape of JSON.

        Read it with `from_json` in a `try`, and its fields with the readers of
        `mirascope.core.json`.
        """
        for body in _ODD:
            for status in (404, 500):
                for is_async in self.modes:
                    error = self.ask(is_async, self.whole_reply(body, status)).error
                    kind = _STATUSES[status]
                    same(type(error), kind, f"the error of HTTP {status} with {body!r}")
        elsewhere = self.whole_reply(b"", 302, location="https://other.example")
        for is_async in self.modes:
            error = self.ask(is_async, elsewhere).error
            true(isinstance(error, APIError), f"a redirect ended with {error!r}")

    @check("error.no_key")
    def test_error_no_key(self) -> None:
        """A call without a key names the variable that it belongs in.

        The variable is in `ProviderSpec.api_key_env`.
        """
        variables = self.spec.api_key_env
        if not variables or not self.key_required:
            raise NotApplicable("no key is needed")
        own = getattr(self.tested, "key_variables", variables)
        same(set(variables), set(own), "ProviderSpec.api_key_env")
        refused = self.whole_reply(self.wire.keyed(self.wire.refused, "none"), 401)
        with _environment(dict.fromkeys(variables)):
            for is_async in self.modes:
                error = self.ask(is_async, refused, key=None).error
                true(isinstance(error, MirascopeError), f"it raised {error!r}")
                named = [name for name in variables if name in str(error)]
                true(named, f"{variables[0]} is not named: {error}")

    @check("secret.echo")
    def test_secret_echo(self) -> None:
        """A key that the server echoes is shown in no error, no traceback and no log.

        Core hides what it knows to be a credential: `api_key` among the settings of a call, and the
        variables in `ProviderSpec.api_key_env`. A key by another way must be known to it. Keys
        belong into headers: servers and proxies log addresses.
        """
        wire = self.wire
        for is_async in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                connection = self.connection(server.url, KEY, is_async=is_async)
                good = self.ask(is_async, connection=connection)
                true(KEY not in good.shown, "the key is logged or printed")
                true(KEY not in server.requests[0].path, "the key is in the address")
        refused = [self.whole_reply(wire.keyed(wire.refused, KEY), s) for s in (400, 401, 500)]
        page = f"<html>{KEY}</html>".encode()
        replies = [*refused, self.whole_reply(page, 502), self.whole_reply(page)]
        if wire.error:
            replies.append(self.reply(*wire.text[: wire.complete_at], wire.keyed(wire.error, KEY)))
        if wire.malformed:
            replies.append(self.reply(wire.malformed.replace(b"[", b"[" + KEY.encode())))
        for reply in replies:
            for is_async in self.modes:
                outcome = self.ask(is_async, reply)
                true(outcome.error is not None, "the answer passed for a good one")
                true(KEY not in outcome.shown, f"the key is shown by {type(outcome.error)}")
                shown = f"{outcome.stream!r} {getattr(outcome.stream, 'error', '')}"
                true(KEY not in shown, "the key is shown by the stream")

    @check("secret.address")
    def test_secret_address(self) -> None:
        """The environment's key goes to the provider's own address and nowhere else.

        `Connection.takes_environment_key` tells; `HTTPProvider` asks it.
        """
        variables = self.spec.api_key_env
        if not variables or "base_url" not in self.tested.settings:
            raise NotApplicable("there is no key in the environment, or no base_url")
        hidden = dict.fromkeys(variables, KEY)
        if self.address_variable:
            hidden[self.address_variable] = "https://own.example"
        with _environment(hidden):
            for is_async in self.modes:
                with self.serve(self.reply(*self.needs("text"))) as server:
                    self.ask(is_async, connection={"base_url": server.url})
                    sent = [f"{each.path} {each.headers}" for each in server.requests]
                    true(all(KEY not in each for each in sent), "the key went to base_url=")

    @check("env.late")
    def test_env_late(self) -> None:
        """Address and key are read from the environment when a call is made.

        A class body runs when the package is imported: name the variable there, as in
        `base_url_env`, and read it in `open`.
        """
        variables = self.spec.api_key_env
        if not variables or not self.address_variable:
            raise NotApplicable("there is no address_variable, or no key in the environment")
        for is_async in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                now: dict[str, str | None] = dict.fromkeys(variables, KEY)
                with _environment({**now, self.address_variable: server.url}):
                    outcome = self.ask(is_async, connection={})
                same(outcome.whole.content, self.wire.content, "the content")
                sent = f"{server.requests[0].path} {server.requests[0].headers}"
                true(KEY in sent, "the key of the environment was not sent")

    @check("client.wrong_kind")
    def test_client_wrong_kind(self) -> None:
        """A client of the other kind is a `UsageError` that names `client=`.

        `ClientCache.sync` and `asynchronous` see to it.
        """
        clients = self.clients()
        if not clients:
            raise NotApplicable("the provider takes no client")
        for is_async in self.modes:
            client = clients[0 if is_async else 1]
            error = self.ask(is_async, connection={"client": client}).error
            true(isinstance(error, UsageError), f"it raised {error!r}")
            true("client" in str(error), f"the message does not name client=: {error}")

    def clients(self) -> tuple[Any, Any] | None:
        """Return a synchronous and an asynchronous client of the provider's, or None.

        By default those of httpx, for a provider whose `ProviderSpec.sdk` it is.
        """
        if not isinstance(self.provider, str) or self.spec.sdk != "httpx":
            return None
        import httpx

        pair = httpx.Client(), httpx.AsyncClient()
        same([is_async_client(each) for each in pair], [False, True], "the kinds of clients")
        return pair

    @check("client.pool")
    def test_client_pool(self) -> None:
        """A hundred and twenty streams are open at once.

        The limits of a default client are httpx's: 100 connections, of which each open stream
        holds one. `httpx.Limits(max_connections=None)` has none.
        """
        events = self.needs("text")
        with (
            held(10) as hold,
            self.serve(self.reply(events[0], hold, *events[1:])) as server,
        ):
            connection = self.connection(server.url, KEY, is_async=False)
            function = self.function(False, connection)
            streams = [function().open() for _ in range(120)]
            with contextlib.ExitStack() as stack:
                stack.callback(lambda: [each.close() for each in streams])
                server.wait_requests(120, 10)
                release(hold)
                for stream in streams:
                    same(stream.collect().content, self.wire.content, "the content")

    @check("client.loops")
    def test_client_loops(self) -> None:
        """A second event loop works like the first.

        A default client belongs to the loop that its connections were opened in: `ClientCache`
        keeps one for each.
        """
        if True not in self.modes:
            raise NotApplicable("the provider is not asynchronous")
        with self.serve(self.reply(*self.needs("text"))) as server:
            connection = self.connection(server.url, KEY, is_async=True)
            if "client" in connection:
                raise NotApplicable("the calls were given a client")
            for _ in range(2):
                outcome = self.ask(True, connection=connection)
                same(outcome.whole.content, self.wire.content, "the content")

    @check("client.reused")
    def test_client_reused(self) -> None:
        """Three calls, one after the other, use one connection.

        Make a default client once, not for each call; release each response.
        """
        with self.serve(self.reply(*self.needs("text"))) as server:
            connection = self.connection(server.url, KEY, is_async=False)
            for _ in range(3):
                self.ask(False, connection=connection).whole  # noqa: B018 - raises
            same(len(server.connections), 1, "the number of connections")

        async def three(function: Any) -> None:
            for _ in range(3):
                async for _ in await function():
                    pass

        if True in self.modes:
            with self.serve(self.reply(*self.needs("text"))) as server:
                connection = self.connection(server.url, KEY, is_async=True)
                asyncio.run(three(self.function(True, connection)))
                same(len(server.connections), 1, "the number of asynchronous connections")


@contextlib.contextmanager
def _environment(values: Mapping[str, str | None]) -> Generator[None]:
    """Set variables of the environment, or unset them (None), and put them back."""
    before = {name: os.environ.get(name) for name in values}

    def put(found: Mapping[str, str | None]) -> None:
        for name, value in found.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    put(values)
    try:
        yield
    finally:
        put(before)
