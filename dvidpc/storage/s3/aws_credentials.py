"""Looks up AWS credentials, and the service and region of the environment, by aiobotocore."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from dvidpc.errors import ConfigError, StoreError, StoreRefusedError
from dvidpc.storage.credentials import Secret
from dvidpc.storage.s3.s3_address import find_path_style

_SEARCHED = "the AWS_* environment, ~/.aws, web identity, container and instance roles"


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Settings of the environment and the dotfiles; None for those that neither names."""

    region: str | None
    endpoint: str | None
    ca_bundle: Path | None
    path_style: bool | None = None
    """By `addressing_style`; None if that leaves it open."""


async def load_aws_settings(profile: str | None, environ: Mapping[str, str]) -> AwsSettings:
    """Return the settings of *profile*.

    `AWS_REGION` is read first, as Go's SDK does and so DVID: botocore itself reads only `AWS_DEFAULT_REGION`.

    Raises:
        ConfigError: There is no such profile, or a dotfile cannot be read.
    """
    return await asyncio.to_thread(_read_settings, profile, environ)


class AwsLookUp:
    """Looks up AWS credentials by aiobotocore's chain, which reads the process's environment and dotfiles.

    aiobotocore refreshes roles, SSO and other temporary credentials. Static keys are read again each time.
    """

    def __init__(self, store_url: str, profile: str | None) -> None:
        self._store_url = store_url
        self._profile = profile
        self._refreshed: AioCredentials | None = None

    async def __call__(self, *, force: bool) -> Secret:
        """As `LookUp`; the values are `access_key_id`, `secret_access_key` and `token`."""
        try:
            if force or self._refreshed is None:
                self._refreshed = await self._search()
            frozen = await self._refreshed.get_frozen_credentials()
        except (BotoCoreError, ClientError, OSError) as error:
            raise StoreError(f"{self._store_url}: AWS credentials: {_explain(error)}") from error
        if not isinstance(self._refreshed, AioRefreshableCredentials):
            self._refreshed = None
        values = {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
        }
        return Secret(values, expires_at=None)

    async def close(self) -> None:
        """Forget the credentials; nothing is open."""
        self._refreshed = None

    async def _search(self) -> AioCredentials:
        session = await asyncio.to_thread(_make_session, self._profile)
        found = await session.get_credentials()
        if found is None:
            of_profile = f" of profile {self._profile!r}" if self._profile else ""
            raise StoreRefusedError(
                f"{self._store_url}: no AWS credentials{of_profile} in {_SEARCHED}; "
                "if the bucket is public, set anonymous = true"
            )
        return found


def _make_session(profile: str | None) -> AioSession:
    session = AioSession(profile=profile)
    session.get_scoped_config()  # reads the dotfiles now, off the event loop
    return session


def _read_settings(profile: str | None, environ: Mapping[str, str]) -> AwsSettings:
    try:
        session = _make_session(profile)
        endpoint = None
        if not session.get_config_variable("ignore_configured_endpoint_urls"):
            endpoint = ConfiguredEndpointProvider(
                session.full_config, session.get_scoped_config(), "s3", environ
            ).provide()
        region = environ.get("AWS_REGION") or session.get_config_variable("region")
        ca_bundle = session.get_config_variable("ca_bundle")
    except BotoCoreError as error:
        raise ConfigError(f"AWS settings: {_explain(error)}") from error
    path_style = find_path_style(session.get_scoped_config())
    return AwsSettings(region, endpoint, Path(ca_bundle) if ca_bundle else None, path_style)


def _explain(error: Exception) -> str:
    """Return the cause in one line, without anything that a credential process or service wrote."""
    if isinstance(error, ClientError):
        return f"{error.operation_name} answered {error.response.get('Error', {}).get('Code', 'an error')}"
    if isinstance(error, CredentialRetrievalError):
        return f"{error.kwargs.get('provider', 'a provider')} has none"
    return " ".join(str(error).split())[:200]
