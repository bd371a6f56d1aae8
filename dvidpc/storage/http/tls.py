"""Loads the certificates that connections to a store trust."""

import asyncio
import ssl
from pathlib import Path

from dvidpc.errors import ConfigError


async def load_tls_context(ca_bundle: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates, and those of *ca_bundle* as well.

    Raises:
        ConfigError: The bundle cannot be read or holds no certificate.
    """
    return await asyncio.to_thread(_make_context, ca_bundle)


def _make_context(ca_bundle: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_bundle is not None:
        try:
            context.load_verify_locations(ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_bundle {ca_bundle} cannot be used: {error.strerror or error}") from error
    return context
