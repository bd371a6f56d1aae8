"""Each failure of the HTTP client is a `StoreError` with a cause that an operator understands."""

import errno
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from dvidpc.errors import StoreError, StoreTimeoutError
from dvidpc.storage.http.connection_errors import SocksError, translate_connection_errors

KEY = ConnectionKey("host", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ClientProxyConnectionError(KEY, OSError()), "the proxy cannot be reached"),
        (aiohttp.ClientConnectorSSLError(KEY, OSError()), "the TLS handshake failed: no reason is given"),
        (aiohttp.ClientConnectorError(KEY, ConnectionResetError()), "closes the connection at once"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError()), "certificate is not trusted"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError()), "host name is not known"),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError()), "connection refused"),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, "No route to host")),
            "cannot be reached: No route to host",
        ),
        (aiohttp.ServerDisconnectedError(), "the connection was lost"),
        (aiohttp.ClientPayloadError(), "the connection was lost"),
        (ConnectionResetError(), "ConnectionResetError"),
        (RuntimeError("the handler is closed"), "RuntimeError"),
        (SocksError("the SOCKS proxy cannot be reached"), "the SOCKS proxy cannot be reached"),
    ],
)
def test_causes(error: Exception, words: str) -> None:
    with (
        pytest.raises(StoreError, match=rf"s3://b/info cannot be listed: .*{words}"),
        translate_connection_errors("s3://b/info", "listed"),
    ):
        raise error


@pytest.mark.parametrize("error", [TimeoutError(), aiohttp.ServerTimeoutError()])
def test_timeouts(error: Exception) -> None:
    with (
        pytest.raises(StoreTimeoutError, match="s3://b/info: no answer in time"),
        translate_connection_errors("s3://b/info"),
    ):
        raise error
