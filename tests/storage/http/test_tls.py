"""Certificates that connections trust."""

from pathlib import Path

import pytest

from dvidpc.errors import ConfigError
from dvidpc.storage.http.tls import load_tls_context


async def test_system_certificates_are_trusted_and_peers_verified() -> None:
    context = await load_tls_context(None)
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
async def test_unusable_bundle_is_a_config_error(tmp_path: Path, content: bytes | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(ConfigError, match=r"ca_bundle .*bundle\.pem cannot be used"):
        await load_tls_context(bundle)
