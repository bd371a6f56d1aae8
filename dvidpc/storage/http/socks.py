"""Connects through SOCKS proxies, by aiohttp-socks."""

import ssl

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError, ProxyType
from yarl import URL

from dvidpc.storage.http.connection_errors import SocksError
from dvidpc.storage.http.tls import Tls


def make_connector(proxy: URL, tls: Tls, limit: int) -> aiohttp.TCPConnector:
    """Return a connector through *proxy*, which also resolves host names; a SOCKS4 proxy cannot do that.

    Args:
        proxy: Its scheme is one of `proxies.SOCKS`.
        tls: Whom to trust.
        limit: The most connections.
    """
    is_old = proxy.scheme.startswith("socks4")
    return ProxyConnector(
        host=proxy.host or "",
        port=proxy.port or 1080,
        proxy_type=ProxyType.SOCKS4 if is_old else ProxyType.SOCKS5,
        username=proxy.user,
        password=proxy.password,
        rdns=proxy.scheme != "socks4",
        ssl=tls,
        limit=limit,
    )


async def translate_socks_errors(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Raise aiohttp's own kinds of exceptions for a proxy that fails, as a middleware of a client."""
    try:
        return await send(request)
    except ProxyTimeoutError as error:
        raise TimeoutError("the SOCKS proxy does not answer in time") from error
    except ProxyConnectionError as error:
        raise SocksError("the SOCKS proxy cannot be reached") from error
    except ProxyError as error:
        raise SocksError("the SOCKS proxy cannot reach the server, or refuses to") from error
    except ssl.SSLCertVerificationError as error:
        raise aiohttp.ClientConnectorCertificateError(request.connection_key, error) from error
    except ssl.SSLError as error:
        raise aiohttp.ClientConnectorSSLError(request.connection_key, error) from error
