"""Looks up Google credentials by gcloud-aio-auth."""

import asyncio
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from gcloud.aio.auth import Token
from gcloud.aio.auth.token import TokenResponse

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.credentials import Secret

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_TIMEOUT_S = 10


class GoogleLookUp:
    """Looks up credentials as `google.auth.default()` does: key file, gcloud's file, metadata server.

    The file is read again each time.
    """

    def __init__(self, store_url: str, environ: Mapping[str, str]) -> None:
        self._store_url = store_url
        self._environ = environ

    async def __call__(self, *, force: bool) -> Secret:
        """As `LookUp`; the value is `token`. Each call fetches a new one."""
        del force
        path, named = credentials_file(self._environ)
        text = await asyncio.to_thread(self._read, path, named=named)
        try:
            response = await _fetch_token(text)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if text is None:
                raise StoreRefusedError(self._nothing_found(path)) from error
            raise StoreError(f"{self._store_url}: no token for {path}: {_explain(error)}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise StoreRefusedError(f"{self._store_url}: no token for {path}: {_explain(error)}") from error
        return Secret({"token": response.value}, expires_at=time.time() + response.expires_in)

    async def close(self) -> None:
        """Do nothing: no connection stays open."""

    def _read(self, path: Path, *, named: bool) -> str | None:
        """Return the file's text; None if the environment names no file and gcloud has written none."""
        try:
            text = path.read_text(encoding="utf-8")
            if not isinstance(json.loads(text), dict):
                raise StoreRefusedError(f"{self._store_url}: {path} holds no credentials")
        except FileNotFoundError as error:
            if named:
                raise StoreRefusedError(
                    f"{self._store_url}: GOOGLE_APPLICATION_CREDENTIALS names a missing file: {path}"
                ) from error
            return None
        except (OSError, ValueError) as error:
            raise StoreRefusedError(f"{self._store_url}: {path} holds no credentials") from error
        return text

    def _nothing_found(self, path: Path) -> str:
        return (
            f"{self._store_url}: no Google credentials in GOOGLE_APPLICATION_CREDENTIALS, {path} "
            "and the metadata server; if the bucket is public, set anonymous = true"
        )


async def _fetch_token(text: str | None) -> TokenResponse:
    """Fetch a token for the text of a credentials file; from the metadata server if it is None."""
    async with Token(service_file=io.StringIO(text or "{}"), scopes=[_SCOPE]) as token:
        return await token.refresh(timeout=_TIMEOUT_S)


def credentials_file(environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Return the path of the application default credentials, and whether the environment names it."""
    if named := environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return Path(named), True
    folder = environ.get("CLOUDSDK_CONFIG")
    home = Path(environ["HOME"]) if "HOME" in environ else Path.home()
    return (
        Path(folder) if folder else home / ".config" / "gcloud"
    ) / "application_default_credentials.json", False


def _explain(error: Exception) -> str:
    """Return the cause, without anything that the token service wrote or the file holds."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the token service answers {error.status}"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return type(error).__name__
