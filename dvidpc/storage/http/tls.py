"""Loads the certificates that connections to a store trust."""

import asyncio
import ssl
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from dvidpc.errors import ConfigError

Tls: TypeAlias = ssl.SSLContext | Literal[True]
"""Whom connections trust: a context, or `SYSTEM`."""
SYSTEM: Final = True
"""The system's certificates, which aiohttp loads when it is imported."""


class _Kept(NamedTuple):
    stamp: tuple[int, int, int]
    context: ssl.SSLContext


class TlsContexts:
    """Keeps one context per bundle, however many stores name it: each takes 50 ms of CPU to make.

    A bundle that is replaced is loaded again for stores that are opened from then on.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._loading = asyncio.Lock()

    async def load(self, ca_bundle: Path | None) -> Tls:
        """Return what trusts the system's certificates, and those of *ca_bundle* as well.

        Raises:
            ConfigError: The bundle cannot be read or holds no certificate.
        """
        if ca_bundle is None:
            return SYSTEM
        async with self._loading:
            kept = await asyncio.to_thread(_load, ca_bundle, self._kept.get(ca_bundle))
            self._kept[ca_bundle] = kept
        return kept.context


def _load(ca_bundle: Path, kept: _Kept | None) -> _Kept:
    """Return *kept* if it is still what the file holds."""
    try:
        found = ca_bundle.stat()
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if kept is not None and kept.stamp == stamp:
            return kept
        context = ssl.create_default_context()
        context.load_verify_locations(ca_bundle)
        # As curl and Go: an intermediate authority in the bundle is trusted, and private authorities are not
        # checked more strictly by newer versions of Python.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_bundle {ca_bundle} cannot be used: {error.strerror or error}") from error
    return _Kept(stamp, context)
