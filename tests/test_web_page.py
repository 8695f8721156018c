"""The applications of the page on web frameworks, as they stand there, on real servers."""

from __future__ import annotations

import gc
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import uvicorn
from mirascope.core.testing import Pause, Server, streamed
from mirascope_tests.chat import chunk
from mirascope_tests.documents import blocks, run

Serve = Callable[..., Server]
PAGE = Path(__file__).parent.parent / "docs" / "web.md"
BLOCKS = dict(
    zip(
        ("fastapi", "starlette", "fastapi_text", "flask", "django"),
        blocks(PAGE, "python"),
        strict=True,
    )
)


@contextmanager
def asgi(app: Any) -> Iterator[int]:
    """Serve an application with uvicorn, and give the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *words: Any) -> None:
        """Print nothing."""


@contextmanager
def wsgi(app: Any) -> Iterator[int]:
    """Serve an application with the standard library's server, and give the port."""
    with make_server("127.0.0.1", 0, app, _ThreadingServer, _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(20)


def django_application(view: Any) -> Any:
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import path

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="of a test", DEBUG=False)
    settings.ROOT_URLCONF = type("Routes", (), {"urlpatterns": [path("books", view)]})
    return WSGIHandler()


@contextmanager
def site(name: str) -> Iterator[int]:
    namespace = run(BLOCKS[name])
    if name == "django":
        app, server = django_application(namespace["books"]), wsgi
    else:
        app, server = namespace["app"], wsgi if name == "flask" else asgi
    with server(app) as port:
        yield port


@contextmanager
def get(port: int) -> Iterator[http.client.HTTPResponse]:
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        browser.request("GET", "/books?genre=fantasy")
        response = browser.getresponse()
        yield response
        response.close()
    finally:
        browser.close()


@pytest.fixture
def model(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Server]:
    def start(*replies: Any) -> Server:
        server = serve(*replies, path="/v1")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-nobody")
        return server

    return start


@pytest.mark.parametrize("name", list(BLOCKS))
def test_it_serves_what_the_model_writes(name: str, model: Callable[..., Server]) -> None:
    model(streamed(chunk("Hello "), Pause(0.05), chunk("there", finish="stop")))
    with site(name) as port, get(port) as response:
        whole = b'data: "Hello "\n\ndata: "there"\n\n' if name == "starlette" else b"Hello there"
        assert response.read() == whole


@pytest.mark.parametrize("name", list(BLOCKS))
def test_the_model_stops_when_the_browser_leaves(name: str, model: Callable[..., Server]) -> None:
    server = model(streamed(*(step for _ in range(100) for step in (chunk("word "), Pause(0.1)))))
    gc.collect()
    gc.disable()
    try:
        with site(name) as port:
            with get(port) as response:
                assert b"word" in response.read(12)
            server.wait_closed(seconds=5)
    finally:
        gc.enable()


def test_a_refused_request_is_an_error_of_the_site(model: Callable[..., Server]) -> None:
    model(streamed(b"", status=403))
    with site("fastapi") as port, get(port) as response:
        assert response.status == 502
