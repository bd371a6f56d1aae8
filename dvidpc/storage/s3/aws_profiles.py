"""Keeps one botocore session for each AWS profile, and looks its credentials up once for all stores.

A session reads the process's environment and the dotfiles. It takes 30 ms of CPU to make, and a search for
credentials may run a helper program.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import BotoCoreError

from dvidpc.errors import ConfigError
from dvidpc.storage.http.routed_client import RoutedClient
from dvidpc.storage.http.tls import TlsContexts
from dvidpc.storage.s3.aws_chain import make_chain, needs_person
from dvidpc.storage.s3.aws_explanations import Explanation, explain_failure, explain_mfa, explain_settings
from dvidpc.storage.s3.aws_http import CredentialServices
from dvidpc.storage.s3.aws_settings import AwsSettings
from dvidpc.storage.s3.s3_address import find_path_style

_NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")

_QUOTING_HELPERS = ("aiobotocore.credentials", "aiobotocore.tokens")
"""Loggers that repeat what a helper printed, with a traceback. What they report is raised as well."""
_NO_PROFILE = {"profile": (None, None, None, None)}
"""What of a session makes it look for no profile in the environment."""

_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Frozen:
    """Credentials at one moment."""

    values: Mapping[str, object]
    """`access_key_id`, `secret_access_key` and `token`, as they were found."""


class Profile:
    """One profile, as the environment and the dotfiles describe it when this is made."""

    def __init__(self, name: str | None, environ: Mapping[str, str]) -> None:
        """Read the dotfiles; not to be called on the event loop.

        Raises:
            ConfigError: There is no such profile, or a dotfile or a setting cannot be used.
        """
        self._name = name
        self._session = _open_session(name)
        self._stamp = _stamp_of(self._session)
        self.settings = _read_settings(self._session, environ)
        self.is_of_use = True
        """Whether to open it again; false once its credentials could not be found or used."""
        self._failure: Explanation | None = None
        self._found: AioCredentials | None = None
        self._looking = asyncio.Lock()

    def is_current(self) -> bool:
        """Return whether the dotfiles are still the same. Not to be called on the event loop."""
        return self._stamp == _stamp_of(self._session)

    def use(self, client: "partial[RoutedClient]") -> None:
        """Ask all services by what *client* opens; to be called once, before `load`."""
        services = partial(CredentialServices, client)
        self._session.set_default_client_config(AioConfig(http_session_cls=services))
        self._services = services

    @property
    def is_static(self) -> bool:
        """Whether aiobotocore will not renew the credentials by itself."""
        return not isinstance(self._found, AioRefreshableCredentials)

    async def load(self) -> Frozen | None:
        """Return the credentials to use now; None if there are none. They are searched for once.

        Raises:
            ProfileError: They cannot be looked up; after that, this profile has to be made again.
        """
        async with self._looking:
            if self._failure is not None:
                raise ProfileError(*self._failure)
            if self._found is None:
                self._found = await self._search()
            if self._found is None:
                return None
            method = getattr(self._found, "method", None)
            try:
                frozen = await self._found.get_frozen_credentials()
            except Exception as error:  # foreign code, which runs helpers: it raises anything
                raise self._fail(str(method), error) from error
        values = {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
        }
        return Frozen(values)

    async def _search(self) -> AioCredentials | None:
        """Ask the providers of botocore's chain, one after the other."""
        for provider in make_chain(self._session, self._services):
            if provider.METHOD == "assume-role" and needs_person(self._session):
                raise self._give_up(explain_mfa(self._session.profile))
            try:
                found: AioCredentials | None = await provider.load()
            except Exception as error:  # foreign code, which runs helpers: it raises anything
                raise self._fail(provider.METHOD, error) from error
            if found is not None:
                return found
        return None

    def _fail(self, method: str, error: Exception) -> "ProfileError":
        return self._give_up(explain_failure(method, error, self._session.profile))

    def _give_up(self, why: Explanation) -> "ProfileError":
        self.is_of_use = False
        self._failure = why
        return ProfileError(*why)


class ProfileError(Exception):
    """The credentials of a profile cannot be looked up."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class AwsProfiles:
    """Opens each profile once, and again when it has changed or its credentials were of no use."""

    def __init__(self, tls: TlsContexts) -> None:
        for name in _QUOTING_HELPERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._tls = tls
        self._kept: dict[tuple[str | None, Path | None], Profile] = {}
        self._opening = asyncio.Lock()

    async def open(
        self,
        name: str | None,
        ca_bundle: Path | None,
        environ: Mapping[str, str],
        *,
        instead_of: Profile | None = None,
    ) -> Profile:
        """Return the profile *name*, or the one that the environment names.

        Args:
            name: A profile of `~/.aws`; None for the environment's.
            ca_bundle: Certificates that the services may show; None for those that the profile names.
            environ: The contents of `os.environ`.
            instead_of: A profile that must not be returned again.

        Raises:
            ConfigError: There is no such profile, or a dotfile, a setting or a bundle cannot be used.
        """
        key = (name, ca_bundle)
        async with self._opening:
            kept = self._kept.pop(key, None)
            if (
                kept is None
                or kept is instead_of
                or not kept.is_of_use
                or not await asyncio.to_thread(kept.is_current)
            ):
                kept = await asyncio.to_thread(Profile, name, environ)
                tls = await self._tls.load(ca_bundle or kept.settings.ca_bundle)
                kept.use(partial(RoutedClient, tls, environ))
            self._kept[key] = kept
        return kept


def _open_session(name: str | None) -> AioSession:
    """Return a session; an `AWS_PROFILE` that is set to nothing counts as not set."""
    session = AioSession(profile=name)
    return session if session.get_config_variable("profile") != "" else AioSession(_NO_PROFILE)


def _read_settings(session: AioSession, environ: Mapping[str, str]) -> AwsSettings:
    try:
        endpoint = None
        if not session.get_config_variable("ignore_configured_endpoint_urls"):
            endpoint = ConfiguredEndpointProvider(
                session.full_config, session.get_scoped_config(), "s3", environ
            ).provide()
        region = environ.get("AWS_REGION") or session.get_config_variable("region")
        ca_bundle = session.get_config_variable("ca_bundle")
    except BotoCoreError as error:
        raise ConfigError(f"AWS settings: {explain_settings(error)}") from error
    except Exception as error:  # foreign code that reads files: it raises anything
        raise ConfigError(
            f"AWS settings: ~/.aws/config or ~/.aws/credentials cannot be read ({type(error).__name__})"
        ) from error
    for name in _NUMBERS:
        _check_number(session, name)
    path_style = find_path_style(session.get_scoped_config())
    return AwsSettings(region, endpoint, Path(ca_bundle) if ca_bundle else None, path_style)


def _check_number(session: AioSession, name: str) -> None:
    try:
        float(session.get_config_variable(name))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"AWS settings: AWS_{name.upper()} of the environment or {name} of ~/.aws/config is not a number"
        ) from error


def _stamp_of(session: AioSession) -> _Stamp:
    """Return what tells whether the dotfiles have changed."""
    return tuple(_stamp(session.get_config_variable(name)) for name in ("config_file", "credentials_file"))


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = Path(path).expanduser().stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
