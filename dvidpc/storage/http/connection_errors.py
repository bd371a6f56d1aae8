"""Turns exceptions of the HTTP client into `StoreError`s."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp

from dvidpc.errors import StoreError, StoreTimeoutError

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
            why = "the server's certificate is not trusted; set ca_bundle to trust another authority"
        case aiohttp.ClientConnectorDNSError():
            why = "the server's host name is not known"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            why = "the server cannot be reached: connection refused"
        case aiohttp.ClientConnectorError():
            why = f"the server cannot be reached: {error.os_error.strerror or type(error.os_error).__name__}"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            why = "the connection was lost"
        case aiohttp.ClientResponseError():
            why = "the server's answer is malformed HTTP"
        case _:
            why = type(error).__name__
    return why
