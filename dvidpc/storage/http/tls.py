"""Whom to trust when a store is asked over TLS."""

import asyncio
import ssl
from pathlib import Path

from dvidpc.errors import ConfigError


async def load_tls_context(ca_bundle: Path | None) -> ssl.SSLContext:
    """Trust in the system's certificates, and in those of *ca_bundle* too.

    Raises:
        ConfigError: The bundle cannot be read or holds no certificate.
    """
    return await asyncio.to_thread(_make_context, ca_bundle)


async def load_certificates(ca_bundle: Path | None) -> bytes | None:
    """The PEM text of *ca_bundle*; None if there is none.

    Raises:
        ConfigError: The bundle cannot be read or holds no certificate.
    """
    if ca_bundle is None:
        return None
    await asyncio.to_thread(_make_context, ca_bundle)
    return await asyncio.to_thread(ca_bundle.read_bytes)


def _make_context(ca_bundle: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_bundle is not None:
        try:
            context.load_verify_locations(ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_bundle {ca_bundle} cannot be used: {error.strerror or error}") from error
    return context
