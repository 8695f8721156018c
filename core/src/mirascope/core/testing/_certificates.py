"""A certificate authority of this process, for servers that speak TLS."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme


@functools.cache
def authority() -> trustme.CA:
    """Return the authority, which is made once; nothing outside of this process trusts it.

    Raises:
        ModuleNotFoundError: `trustme` is not installed.
    """
    try:
        import trustme
    except ModuleNotFoundError as error:
        from .._installation import install_command

        raise ModuleNotFoundError(
            "a server with tls=True needs trustme: " + install_command("mirascope-core[testing]"),
            name="trustme",
        ) from error
    return trustme.CA()


@functools.cache
def server_context() -> ssl.SSLContext:
    """Return a context for servers on 127.0.0.1."""
    certificate = authority().issue_cert("127.0.0.1", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    return context


def client_context() -> ssl.SSLContext:
    """Return a new context for clients, which trusts the servers of this process and no others."""
    return ssl.create_default_context(cadata=authority().cert_pem.bytes().decode("ascii"))
