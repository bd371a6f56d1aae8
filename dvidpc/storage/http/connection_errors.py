"""Turns exceptions of the HTTP client into `StoreError`s."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from dvidpc.errors import StoreError, StoreTimeoutError
from dvidpc.storage.http.tls_errors import explain_reason, explain_tls

_TLS_ALERT = r"\x15\x03"
"""How aiohttp shows the beginning of a TLS record that it cannot read as HTTP."""
NEEDS_TLS = "the server speaks HTTPS at this port; write https:// in ref or endpoint"

PROXY_LOGIN: Final = "the proxy wants a login; write it in the variable: http://USER:PASSWORD@HOST:PORT (407)"
"""What status 407 means, whether it is sent for a tunnel or for a request."""


class SocksError(aiohttp.ClientConnectionError):
    """The SOCKS proxy cannot be reached, or cannot reach the server; the message says which."""


@contextmanager
def translate_connection_errors(name: str, action: str = "read") -> Iterator[None]:
    """Raise `StoreError`s that name the object, and nothing that was sent, in place of aiohttp's errors.

    Args:
        name: The object that is asked for.
        action: What could not be done with it: `read` or `listed`.
    """
    try:
        yield
    except TimeoutError as error:
        raise StoreTimeoutError(f"{name}: no answer in time") from error
    except (aiohttp.ClientError, OSError, RuntimeError) as error:  # uvloop: RuntimeError for a closed socket
        raise StoreError(f"{name} cannot be {action}: {_explain(error)}") from error


def _explain(error: Exception) -> str:
    return _explain_proxy(error) or _explain_server(error)


def _explain_proxy(error: Exception) -> str | None:
    """Return what is wrong with the proxy; None if nothing is."""
    match error:
        case SocksError():
            return str(error)
        case aiohttp.ClientProxyConnectionError():
            return "the proxy cannot be reached"
        case aiohttp.ClientHttpProxyError(status=407):
            return PROXY_LOGIN
        case aiohttp.ClientHttpProxyError():
            return f"the proxy answers {error.status}"
        case _:
            return None


def _explain_server(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            why = explain_tls(error)
        case aiohttp.ClientConnectorError():
            why = _explain_connector(error)
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            why = "the connection was lost"
        case aiohttp.ClientResponseError() if _TLS_ALERT in error.message:
            why = NEEDS_TLS
        case aiohttp.ClientResponseError():
            why = "the server's answer is malformed HTTP"
        case aiohttp.ClientOSError() if isinstance(error.__cause__, ssl.SSLError):
            why = explain_reason(error.__cause__.reason or "")  # of TLS 1.3, after the handshake
        case _:
            why = type(error).__name__
    return why


def _explain_connector(error: aiohttp.ClientConnectorError) -> str:
    """Return why there is no connection."""
    cause = error.os_error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the server's host name is not known"
    if isinstance(cause, ConnectionRefusedError):
        return "the server cannot be reached: connection refused"
    if isinstance(cause, ConnectionResetError):
        return "the server closes the connection at once; does this port speak the scheme of ref or endpoint?"
    return f"the server cannot be reached: {cause.strerror or type(cause).__name__}"
