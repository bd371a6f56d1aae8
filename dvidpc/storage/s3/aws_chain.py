"""Botocore's chain of providers of credentials, with our own ways to run helpers and to ask services."""

import asyncio
import contextlib
import os
from functools import partial
from http import HTTPStatus
from typing import Any

from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.credentials import AioContainerProvider, AioInstanceMetadataProvider, AioProcessProvider
from aiobotocore.session import AioSession
from aiobotocore.utils import AioContainerMetadataFetcher, AioInstanceMetadataFetcher
from botocore.awsrequest import AWSPreparedRequest
from botocore.utils import resolve_imds_endpoint_mode

from dvidpc.storage.s3.aws_explanations import MetadataTokenError
from dvidpc.storage.s3.aws_http import CredentialServices

_IMDS_SETTINGS = ("ec2_metadata_service_endpoint", "ec2_metadata_v1_disabled")
_REFRESH_WINDOW_S = 15 * 60
"""How long before their expiry the credentials of an instance are renewed; botocore's own default."""


def make_chain(session: AioSession, services: partial[CredentialServices]) -> list[Any]:
    """Return botocore's providers, in its order.

    Args:
        session: Of the profile.
        services: Opens what metadata services are asked by.
    """
    ours = {
        AioProcessProvider: lambda: _process_provider(session),
        AioInstanceMetadataProvider: lambda: AioInstanceMetadataProvider(
            _instance_fetcher(session, services)
        ),
        AioContainerProvider: lambda: AioContainerProvider(os.environ, _container_fetcher(services)),
    }
    providers = session.get_component("credential_provider").providers
    return [ours[type(one)]() if type(one) in ours else one for one in providers]


def needs_person(session: AioSession) -> bool:
    """Return whether a role of the profile, or of those that it builds on, asks for an MFA code.

    botocore would ask on the terminal, and stop the event loop until somebody answers.
    """
    profiles = session.full_config.get("profiles", {})
    name, seen = session.get_config_variable("profile") or "default", set()
    while name in profiles and name not in seen:
        seen.add(name)
        if "role_arn" in profiles[name] and "mfa_serial" in profiles[name]:
            return True
        name = profiles[name].get("source_profile")
    return False


def _process_provider(session: AioSession) -> AioProcessProvider:
    profile = session.get_config_variable("profile") or "default"
    return AioProcessProvider(profile, lambda: session.full_config, popen=_start_helper)


def _container_fetcher(services: partial[CredentialServices]) -> AioContainerMetadataFetcher:
    client = services(timeout=AioContainerMetadataFetcher.TIMEOUT_SECONDS)
    return AioContainerMetadataFetcher(session=client)


def _instance_fetcher(
    session: AioSession, services: partial[CredentialServices]
) -> AioInstanceMetadataFetcher:
    timeout_s = session.get_config_variable("metadata_service_timeout")
    config = {name: session.get_config_variable(name) for name in _IMDS_SETTINGS}
    config["ec2_metadata_service_endpoint_mode"] = resolve_imds_endpoint_mode(session)
    config["ec2_credential_refresh_window"] = _REFRESH_WINDOW_S
    return AioInstanceMetadataFetcher(
        timeout=timeout_s,
        num_attempts=session.get_config_variable("metadata_service_num_attempts"),
        user_agent=session.user_agent(),
        config=config,
        session=_InstanceServices(*services.args, timeout=timeout_s),
    )


class _InstanceServices(CredentialServices):
    """What the instance's metadata service is asked with."""

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """Send *request*; return the whole response.

        Raises:
            MetadataTokenError: The service wants a token. aiobotocore has asked for one, and goes on without.
        """
        response = await super().send(request)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise MetadataTokenError
        return response


async def _start_helper(*command: str, stdout: int, stderr: int) -> "_Helper":
    """Start a `credential_process`, which cannot ask a person: there is none."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=stderr
    )
    return _Helper(process)


class _Helper:
    """A helper program that ends with the look-up."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        """Its exit code."""
        return self._process.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return what it prints, once it has ended; kill it if the caller waits no longer."""
        try:
            return await self._process.communicate()
        finally:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
