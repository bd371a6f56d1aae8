"""Certificates that connections trust."""

import os
import ssl
from pathlib import Path

import pytest

from dvidpc.errors import ConfigError
from dvidpc.storage.http.tls import SYSTEM, TlsContexts


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of certificates: one of the system's own."""
    certificate = ssl.create_default_context().get_ca_certs(binary_form=True)[0]
    file = tmp_path / "bundle.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    return file


async def test_system_certificates_are_those_of_aiohttp() -> None:
    assert await TlsContexts().load(None) is SYSTEM


async def test_bundle_is_loaded_once_for_all_stores_until_it_is_replaced(bundle: Path) -> None:
    contexts = TlsContexts()
    first = await contexts.load(bundle)
    assert isinstance(first, ssl.SSLContext)
    assert first.check_hostname
    assert await contexts.load(bundle) is first
    os.utime(bundle, ns=(1, 1))
    assert await contexts.load(bundle) is not first


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
async def test_unusable_bundle_is_a_config_error_until_it_is_repaired(
    tmp_path: Path, bundle: Path, content: bytes | None
) -> None:
    contexts, broken = TlsContexts(), tmp_path / "broken.pem"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(ConfigError, match=r"ca_bundle .*broken\.pem cannot be used"):
        await contexts.load(broken)
    broken.write_bytes(bundle.read_bytes())
    assert isinstance(await contexts.load(broken), ssl.SSLContext)
