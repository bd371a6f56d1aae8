"""Looks up AWS credentials by aiobotocore's chain, which reads the process's environment and dotfiles."""

from collections.abc import Mapping
from pathlib import Path

from dvidpc.errors import CredentialsError
from dvidpc.storage.credentials import Secret, clean_value
from dvidpc.storage.s3.aws_profiles import AwsProfiles, Profile, ProfileError

_SEARCHED = "the AWS_* environment, ~/.aws, web identity, container and instance roles"
_NAMES = {"access_key_id": "access key", "secret_access_key": "secret key", "token": "session token"}


class AwsLookUp:
    """Looks up the AWS credentials of one store.

    aiobotocore refreshes roles, SSO and other temporary credentials. Static keys are read again each time.
    """

    def __init__(
        self,
        profiles: AwsProfiles,
        store_url: str,
        name: str | None,
        ca_bundle: Path | None,
        environ: Mapping[str, str],
    ) -> None:
        """Look for the credentials of a profile.

        Args:
            profiles: Shared with other stores.
            store_url: How messages name the store.
            name: The profile; None for the one that the environment names.
            ca_bundle: Certificates to trust as well; None for those that the profile names.
            environ: The contents of `os.environ`.
        """
        self._store_url = store_url
        self._profiles = profiles
        self._name = name
        self._ca_bundle = ca_bundle
        self._environ = environ
        self._used: Profile | None = None

    async def __call__(self, *, force: bool) -> Secret:
        """As `LookUp`; the values are `access_key_id`, `secret_access_key` and `token`."""
        used = self._used
        outdated = used if used is not None and (force or used.is_static) else None
        self._used = await self._profiles.open(
            self._name, self._ca_bundle, self._environ, instead_of=outdated
        )
        try:
            found = await self._used.load()
        except ProfileError as error:
            raise CredentialsError(
                f"{self._store_url}: no AWS credentials: {error.reason}", error.advice
            ) from error
        if found is None:
            of_profile = f" of profile {self._name!r}" if self._name else ""
            raise CredentialsError(
                f"{self._store_url}: no AWS credentials{of_profile} in {_SEARCHED}; "
                "if the bucket is public, set anonymous = true"
            )
        try:
            values = {
                key: clean_value(self._store_url, f"AWS {_NAMES[key]}", value)
                for key, value in found.values.items()
            }
        except CredentialsError:
            self._used.is_of_use = False
            raise
        return Secret(values, expires_at=None)

    async def close(self) -> None:
        """Forget the credentials; nothing is open."""
        self._used = None
