"""How to fix a volume: the line of the configuration to write, or the vendor's command to run."""

import shlex
from dataclasses import replace

from dvidpc.config import StoreConfig
from dvidpc.errors import ConfigError, DvidpcError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.ref import Kind

_SOURCE = "SOURCE"
"""Placeholder for the good copy, whose place only the user knows."""
_SETTINGS = {
    "SecondLevelDomainForbidden": "put the bucket into the host name: {} path_style = false",
    "UserProjectMissing": 'say who pays: {} user_project = "PROJECT"',
}
"""Fixes that are a setting in a section of the configuration."""


class Fixes:
    """Fixes for the volume of one store of the configuration."""

    def __init__(self, store: StoreConfig) -> None:
        self._store = store
        self._ref = store.ref
        self._section = f"[store.{store.alias}]"

    def of_error(self, error: DvidpcError) -> str:
        """Return the fix for a bucket, or data in it, that cannot be read."""
        match error:
            case ConfigError():
                return f"correct {self._section} of the configuration"
            case StoreRefusedError(status=status, code=code):
                return self._reason(code) or self._refusal(status)
            case StoreTimeoutError():
                return f"look at the network, or allow more: [limits] first_byte_timeout; {self._look_up()}"
            case _:
                return self._correct()

    def of_missing_info(self) -> str:
        """Return the fix for a volume that does not exist."""
        return f'correct {self._section} ref = "{self._store.ref.text}"; see what is there: {self._list()}'

    def of_info(self) -> str:
        """Return the fix for an `info` that cannot be understood."""
        return f"correct that file and write it again: {self._copy('info')}"

    def of_scale(self, reason: str) -> str:
        """Return the fix for a scale that is not served; some reasons name it themselves."""
        if "pip install" in reason:
            return reason[reason.index("pip install") :]
        if 'block_size = "chunk"' in reason:
            return "block_size = 64"
        return f"rewrite that scale in a supported form, or remove it from the info: {self._copy('info')}"

    def of_damage(self) -> str:
        """Return the fix for damaged chunks."""
        return f"write it again from a good copy: {self._upload()}"

    def of_oddity(self) -> str:
        """Return the fix for ETags that mean nothing."""
        return f'make all nodes of the service send one ETag; if that fails, {self._section} etag = "ignore"'

    def of_absence(self) -> str:
        """Return the fix for absent chunks."""
        return f"if they should be there, upload the rest: {self._upload()}"

    def of_foreign(self) -> str:
        """Return the fix for chunks that `info` does not name."""
        return f"write the info of that upload, its size and chunk_sizes: {self._copy('info')}"

    def of_pyramid(self) -> str:
        """Return the fix for scales that are not each twice as coarse."""
        return "downsample by 2 along each axis: igneous image downsample PATH --factor 2,2,2"

    def of_no_listing(self) -> str:
        """Return the fix for chunks that cannot be counted."""
        match self._ref.kind:
            case Kind.S3 | Kind.VAST | Kind.GCS:
                return self._rights()
            case _:
                return "run the check on the machine that has the files, with a ref to their directory"

    def _reason(self, code: str) -> str | None:
        """Return the fix for a reason that the service gives; None: its status says more."""
        match code:
            case "ExpiredToken" | "InvalidAccessKeyId" | "InvalidToken" | "SignatureDoesNotMatch":
                return self._credentials()
            case "NoSuchBucket":
                return self.of_missing_info()
            case "RequestTimeTooSkewed":
                return "set the clock of this machine: timedatectl set-ntp true"
            case "SecondLevelDomainForbidden" | "UserProjectMissing":
                return _SETTINGS[code].format(self._section)
            case "InvalidObjectState":
                return f"take it out of the archive: {self._upload()}"
            case _:
                return None

    def _refusal(self, status: int | None) -> str:
        if status in {None, 401}:
            return self._credentials()
        if status == 404:
            return self.of_missing_info()
        if status == 301 and self._ref.kind is not Kind.HTTP:
            return self._correct()
        if status is not None and 300 <= status < 400:
            return f'give {self._section} the address that it redirects to: ref = "..."'
        return self._rights()

    def _correct(self) -> str:
        return f"correct region, endpoint or ca_bundle of {self._section}; look with: {self._look_up()}"

    def _credentials(self) -> str:
        match self._ref.kind:
            case Kind.GCS:
                found = "gcloud auth application-default login"
            case Kind.HTTP | Kind.FILE:
                return self._rights()
            case _:
                profile = f" --profile {shlex.quote(self._store.profile)}" if self._store.profile else ""
                found = f"aws configure{profile}"
        return f"{found}; or, if everybody may read it, {self._section} anonymous = true"

    def _rights(self) -> str:
        bucket, prefix = self._ref.bucket, self._ref.prefix
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                below = f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*"
                return (
                    f"allow s3:GetObject on arn:aws:s3:::{below} and s3:ListBucket on arn:aws:s3:::{bucket}: "
                    "aws iam put-user-policy --user-name NAME --policy-name dvidpc --policy-document file://POLICY"
                )
            case Kind.GCS:
                return (
                    f"gcloud storage buckets add-iam-policy-binding gs://{bucket} "
                    "--member=serviceAccount:NAME --role=roles/storage.objectViewer"
                )
            case Kind.FILE:
                return f"chmod -R a+rX {shlex.quote(self._place)}"
            case Kind.HTTP:
                return (
                    "let the web server give the files to everybody, or read them by their s3:// or gs:// ref"
                )

    def _list(self) -> str:
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self._aws(f"s3 ls {shlex.quote(self._place)}/")
            case Kind.GCS:
                return f"gcloud storage ls {shlex.quote(self._place)}/"
            case Kind.FILE:
                return f"ls -l {shlex.quote(self._place)}"
            case Kind.HTTP:
                return f"curl -sI {shlex.quote(self._place)}/info"

    def _look_up(self) -> str:
        if self._ref.kind in {Kind.S3, Kind.VAST}:
            return self._aws(f"s3api head-bucket --bucket {self._ref.bucket}")
        return self._list()

    def _copy(self, name: str) -> str:
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self._aws(f"s3 cp {name} {shlex.quote(f'{self._place}/{name}')}")
            case Kind.GCS:
                return f"gcloud storage cp {name} {shlex.quote(f'{self._place}/{name}')}"
            case Kind.FILE:
                return f"cp {name} {shlex.quote(f'{self._place}/{name}')}"
            case Kind.HTTP:
                return f"upload it as {self._place}/{name}"

    def _upload(self) -> str:
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self._aws(f"s3 cp --recursive {_SOURCE} {shlex.quote(self._place)}")
            case Kind.GCS:
                return f"gcloud storage rsync -r --checksums-only {_SOURCE} {shlex.quote(self._place)}"
            case Kind.FILE:
                return f"rsync -a --checksum {_SOURCE}/ {shlex.quote(self._place)}/"
            case Kind.HTTP:
                return f"upload {_SOURCE} as {self._place}"

    @property
    def _place(self) -> str:
        """The volume's place as the vendor's commands take it; they name the endpoint in an option."""
        match self._ref.kind:
            case Kind.FILE:
                return self._ref.prefix
            case Kind.VAST:
                return replace(self._ref, kind=Kind.S3, endpoint=None).url
            case _:
                return self._ref.url

    def _aws(self, command: str) -> str:
        """Return an AWS command with the endpoint and profile of the configuration."""
        endpoint = self._ref.endpoint or self._store.endpoint
        options = {"--endpoint-url": endpoint, "--profile": self._store.profile}
        said = [f" {option} {shlex.quote(value)}" for option, value in options.items() if value]
        return f"aws {command}{''.join(said)}"
