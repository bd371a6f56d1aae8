"""Looks up Google credentials by gcloud-aio-auth."""

import asyncio
import io
import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import aiohttp
from gcloud.aio.auth import Token
from gcloud.aio.auth.token import TokenResponse

from dvidpc.errors import ConfigError, CredentialsError
from dvidpc.storage.credentials import Secret, clean_value
from dvidpc.storage.http.routed_client import RoutedClient
from dvidpc.storage.http.tls import SYSTEM, Tls

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_TIMEOUT_S = 10
_FEDERATED: Final = "external_account"
_IMPERSONATED: Final = "impersonated_service_account"
_USER: Final = "authorized_user"
_SUPPORTED: Final = frozenset({"service_account", _FEDERATED, _IMPERSONATED, _USER})
_TYPE: Final = re.compile(r"[a-z0-9_]{1,64}")
_REVOKED: Final = (
    "if the key or the login was revoked, write a new key or run: gcloud auth application-default login"
)
_MOUNT: Final = (
    "if it is mounted into a container, correct its path on the host: docker makes a directory there"
)
_NETWORK: Final = "look at the network and the proxy"
_ADVICE: Final = (
    "use a service account's key, gcloud's user credentials, or workload identity federation by file or URL"
)


class GoogleLookUp:
    """Looks up credentials as `google.auth.default()` does: key file, gcloud's file, metadata server.

    The file is read again each time.
    """

    def __init__(self, store_url: str, environ: Mapping[str, str], tls: Tls = SYSTEM) -> None:
        """Look for the credentials of one store.

        Args:
            store_url: How messages name the store.
            environ: The contents of `os.environ`.
            tls: Whom to trust.
        """
        self._store_url = store_url
        self._environ = environ
        self._tls = tls

    async def __call__(self, *, force: bool) -> Secret:
        """As `LookUp`; the value is `token`. Each call fetches a new one."""
        del force
        path, named = credentials_file(self._environ)
        document = await asyncio.to_thread(self._read, path, named=named)
        if document is not None and (why := _find_unsupported(document)):
            raise CredentialsError(f"{self._store_url}: {path} {why}", _ADVICE)
        async with RoutedClient(self._tls, self._environ) as client:
            try:
                response = await _fetch_token(document, client)
            except ConfigError:
                raise
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if document is None:
                    raise CredentialsError(self._nothing_found(path)) from error
                raise self._no_token(str(path), _explain_service(error)) from error
            except Exception as error:  # foreign code, which reads keys and documents: it raises anything
                source = "the metadata server" if document is None else str(path)
                reason = _NO_TOKEN if client.answers else _explain_document(error, document or {})
                raise self._no_token(source, reason) from error
        token = clean_value(self._store_url, "Google token", response.value)
        return Secret({"token": token}, expires_at=time.time() + response.expires_in)

    async def close(self) -> None:
        """Do nothing: no connection stays open."""

    def _read(self, path: Path, *, named: bool) -> dict[str, Any] | None:
        """Return the file's document; None if the environment names no file and gcloud has written none."""
        try:
            document = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError as error:
            if named:
                raise CredentialsError(
                    f"{self._store_url}: GOOGLE_APPLICATION_CREDENTIALS names a missing file: {path}"
                ) from error
            return None
        except IsADirectoryError as error:
            raise CredentialsError(f"{self._store_url}: {path} is a directory, not a file", _MOUNT) from error
        except (OSError, ValueError) as error:
            raise CredentialsError(f"{self._store_url}: {path} holds no credentials") from error
        if not isinstance(document, dict) or not document:
            raise CredentialsError(f"{self._store_url}: {path} holds no credentials")
        return document

    def _no_token(self, source: str, why: "_Why") -> CredentialsError:
        return CredentialsError(f"{self._store_url}: no token for {source}: {why.reason}", why.advice)

    def _nothing_found(self, path: Path) -> str:
        return (
            f"{self._store_url}: no Google credentials in GOOGLE_APPLICATION_CREDENTIALS, {path} "
            "and the metadata server; if the bucket is public, set anonymous = true"
        )


async def _fetch_token(document: Mapping[str, Any] | None, client: RoutedClient) -> TokenResponse:
    """Fetch a token for a credentials file; from the metadata server if there is none."""
    token = Token(
        service_file=io.StringIO(json.dumps(document or {})),
        session=cast("Any", client),
        scopes=[_SCOPE],
    )
    return await token.refresh(timeout=_TIMEOUT_S)


def credentials_file(
    environ: Mapping[str, str], find_home: Callable[[], Path] = Path.home
) -> tuple[Path, bool]:
    """Return the path of the application default credentials, and whether the environment names it.

    Args:
        environ: The contents of `os.environ`.
        find_home: Returns the home directory of this user where the environment does not name it.
    """
    if named := environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return Path(named), True
    folder = environ.get("CLOUDSDK_CONFIG")
    place = Path(folder) if folder else _home(environ, find_home) / ".config" / "gcloud"
    return place / "application_default_credentials.json", False


def _home(environ: Mapping[str, str], find_home: Callable[[], Path]) -> Path:
    """Return the home directory; a path without files if this user has none, as in some containers."""
    try:
        return Path(environ["HOME"]) if environ.get("HOME") else find_home()
    except RuntimeError:
        return Path("/nonexistent")


def _find_unsupported(document: Mapping[str, Any]) -> str | None:
    """Return why gcloud-aio-auth can do nothing with the document; None if it may."""
    kind = document.get("type")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        return "names no type of credentials"
    if kind not in _SUPPORTED:
        return f"holds credentials of the type {kind!r}, which is not supported"
    if kind == _FEDERATED:
        source = document.get("credential_source")
        if not isinstance(source, dict):
            return f"holds credentials of the type {kind!r} without a credential_source"
        if "executable" in source or str(source.get("environment_id", "")).startswith("aws"):
            where = "executable" if "executable" in source else "aws"
            return f"holds credentials of the type {kind!r} from {where!r}, which is not supported"
    if kind == _IMPERSONATED:
        inner = document.get("source_credentials")
        inner_kind = inner.get("type") if isinstance(inner, dict) else None
        if inner_kind != _USER:
            return f"holds credentials of the type {kind!r} whose source is not of the type {_USER!r}"
    return None


class _Why(NamedTuple):
    reason: str
    advice: str = ""


_NO_TOKEN: Final = _Why(
    "the answer of the token service holds no token", "look at token_uri or token_url of the file"
)


def _explain_service(error: Exception) -> _Why:
    """Return why a service gives no token, without anything that it wrote."""
    match error:
        case aiohttp.ClientResponseError(status=400 | 401 | 403):
            return _Why(f"the token service answers {error.status}", _REVOKED)
        case aiohttp.ClientResponseError():
            return _Why(f"the token service answers {error.status}")
        case TimeoutError():
            return _Why("the token service does not answer in time", _NETWORK)
        case aiohttp.ClientError():
            return _Why(f"the token service cannot be reached ({type(error).__name__})", _NETWORK)
        case _:
            return _Why(f"a file that it names cannot be read ({type(error).__name__})")


def _explain_document(error: Exception, document: Mapping[str, Any]) -> _Why:
    """Return what is wrong with the file, without anything that it holds."""
    kind = type(error).__name__
    if isinstance(error, KeyError) and _is_word(error.args[0]) and error.args[0] not in document:
        return _Why(f"{error.args[0]} is missing", "write the file again")
    match document.get("type"):
        case "service_account":
            return _Why(f"its private_key cannot be used ({kind})", "download the key again")
        case "external_account":
            return _Why(
                f"what its credential_source gives cannot be used ({kind})", "look at that file or URL"
            )
        case _:
            return _Why(f"what is found there cannot be used ({kind})")


def _is_word(name: object) -> bool:
    return isinstance(name, str) and _TYPE.fullmatch(name) is not None
