"""What this plugin adds to the provider that it is built on."""

import logging

import pytest
from mirascope.core import call
from mirascope.core.testing.fixtures import StartFaultServer


def test_a_call_names_its_team_and_is_in_the_audit(
    caplog: pytest.LogCaptureFixture,
    fault_server: StartFaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = fault_server("Hello")
    caplog.set_level(logging.INFO, "mirascope_new_name.audit")
    monkeypatch.setenv("NEW_NAME_BASE_URL", server.url)
    monkeypatch.setenv("NEW_NAME_API_KEY", "a-key-for-this-test")
    monkeypatch.setenv("NEW_NAME_TEAM", "search")

    @call("new_name/new-name-1", stream=True)
    def greet() -> str:
        return "Say hello"

    greet().collect()
    headers = server.requests[0].headers
    assert headers["x-team"] == "search"
    assert headers["authorization"] == "Bearer a-key-for-this-test"
    assert [record.name for record in caplog.records] == ["mirascope_new_name.audit"]
