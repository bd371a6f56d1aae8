"""The certificate with which the server speaks TLS; a renewed one is used without a restart."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from dvidpc.config import ServerConfig
from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 2.0
"""How often the files are looked at. A new certificate is used once two looks agree, as it is whole then."""

_State: TypeAlias = tuple[tuple[int, int, int], ...]
"""Of each file: its inode, its size and when it was written."""


class Certificate:
    """The certificate of the server and its key, as they are in their files now.

    A connection uses the certificate that is current when it begins. That is decided in the callback for the
    server's name, which runs for every connection: to load a new certificate into the old context would not
    replace one whose key is of another kind.
    """

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """Load the PEM files *certificate* and *key*; None: the key is in *certificate* too.

        Raises:
            ConfigError: They cannot be used.
        """
        self._files = [certificate] if key is None else [certificate, key]
        self._state = self._look()
        self._current = _load(certificate, key)
        self.context: Final = _load(certificate, key)
        """What listens."""
        self.context.sni_callback = self._choose

    async def reload(self) -> None:
        """Use what the files hold now; keep the certificate, and log why, if they cannot be used."""
        try:
            state = await asyncio.to_thread(self._look)
            self._current = await asyncio.to_thread(_load, *self._files)
            self._state = state
        except ConfigError as error:
            log.error("the certificate stays as it was: %s", error)
        else:
            log.info("certificate read again: %s", self._files[0])

    async def watch(self, look_every_s: float = LOOK_EVERY_S) -> NoReturn:
        """Load the files whenever they change, until cancelled; a failure is logged once per change."""
        handled = last = self._state
        while True:
            await asyncio.sleep(look_every_s)
            state = await asyncio.to_thread(self._look)
            if state == last and state not in (handled, self._state):
                handled = state
                await self.reload()
            last = state

    def _look(self) -> _State:
        return tuple(_state_of(file) for file in self._files)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _listening: ssl.SSLContext) -> None:
        connection.context = self._current


def certificate_of(server: ServerConfig) -> Certificate | None:
    """Return the certificate that the configuration names; None: the server speaks plain HTTP.

    Raises:
        ConfigError: It cannot be used.
    """
    return None if server.tls_cert is None else Certificate(server.tls_cert, server.tls_key)


def _state_of(file: Path) -> tuple[int, int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0, 0)  # it is being replaced
    return status.st_ino, status.st_size, status.st_mtime_ns


def _load(certificate: Path, key: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    files = f"{certificate} and {key}" if key else str(certificate)
    advice = "name PEM files with a certificate and its key, not encrypted"
    try:
        context.load_cert_chain(certificate, key, password="")  # without one, OpenSSL asks the terminal
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).lower().replace("_", " ")
        raise ConfigError(
            one_line(f"[server] tls_cert: {files} cannot be used: {reason}; {advice}")
        ) from error
    except OSError as error:
        raise ConfigError(
            one_line(f"[server] tls_cert: {files} cannot be read: {error.strerror}; {advice}")
        ) from error
    return context
