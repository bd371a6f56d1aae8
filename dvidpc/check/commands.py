"""The commands with which a user lists, uploads and moves the objects of one store."""

import posixpath
import shlex
from dataclasses import replace
from typing import Final

from dvidpc.config import StoreConfig
from dvidpc.storage.ref import Kind

_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn")
"""How the host names of AWS's own endpoints end."""
_SOURCE: Final = "SOURCE"
"""Placeholder in a command for a good copy of the volume, whose location only the user knows."""


class Commands:
    """Words the commands of the storage vendor; for a web server, what to do."""

    def __init__(self, store: StoreConfig) -> None:
        """Word the commands for *store*."""
        self._store = store
        self._ref = store.ref

    def list_all(self) -> str:
        """Return how to list the volume."""
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self.aws(f"s3 ls {shlex.quote(self.place)}/")
            case Kind.GCS:
                return f"gcloud storage ls {shlex.quote(self.place)}/"
            case Kind.FILE:
                return f"ls -l {shlex.quote(self.place)}"
            case Kind.HTTP:
                return f"curl -sI {shlex.quote(self.place)}/info"

    def look_up(self) -> str:
        """Return how to find out whether the bucket answers."""
        if self._ref.kind in {Kind.S3, Kind.VAST}:
            return self.aws(f"s3api head-bucket --bucket {self._ref.bucket}")
        return self.list_all()

    def upload_info(self) -> str:
        """Return how to upload the info."""
        target = f"{self.place}/info"
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self.aws(f"s3 cp info {shlex.quote(target)}")
            case Kind.GCS:
                return f"gcloud storage cp info {shlex.quote(target)}"
            case Kind.FILE:
                return f"cp info {shlex.quote(target)}"
            case Kind.HTTP:
                return f"upload it as {target}"

    def upload(self, place: str = "") -> str:
        """Return how to upload a good copy.

        Args:
            place: Where to, a name in the vendor's commands; empty: to the volume.
        """
        place = place or self.place
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self.aws(f"s3 cp --recursive {_SOURCE} {shlex.quote(place)}")
            case Kind.GCS:
                return f"gcloud storage rsync -r --checksums-only {_SOURCE} {shlex.quote(place)}"
            case Kind.FILE:
                return f"rsync -a --checksum {_SOURCE}/ {shlex.quote(place)}/"
            case Kind.HTTP:
                return f"upload {_SOURCE} to {place}"

    def move(self, old: str, new: str, encoding: str = "") -> str:
        """Return how to rename an object, and to set its Content-Encoding unless that is empty."""
        names = f"{shlex.quote(old)} {shlex.quote(new)}"
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self.aws(f"s3 mv {names}" + (f" --content-encoding {encoding}" if encoding else ""))
            case Kind.GCS:
                return f"gcloud storage mv {names}" + (f" --content-encoding={encoding}" if encoding else "")
            case Kind.FILE:
                return f"mv {names}"
            case Kind.HTTP:
                return f"move {old} to {new}"

    def move_all(self, old: str, new: str) -> str:
        """Return how to rename a directory."""
        names = f"{shlex.quote(old)} {shlex.quote(new)}"
        match self._ref.kind:
            case Kind.S3 | Kind.VAST:
                return self.aws(f"s3 mv --recursive {names}")
            case Kind.GCS:
                return f"gcloud storage mv {shlex.quote(f'{old}/*')} {shlex.quote(f'{new}/')}"
            case _:
                return self.move(old, new)

    def name_of(self, key: str) -> str:
        """Return an object's name in the vendor's commands; *key* as the store knows it."""
        root = (
            replace(self._ref.root, kind=Kind.S3, endpoint=None)
            if self._ref.kind is Kind.VAST
            else self._ref.root
        )
        if root.kind is Kind.FILE:
            return posixpath.join(root.prefix, key)
        return f"{root.url}/{key}"

    @property
    def is_aws(self) -> bool:
        """Whether the service is AWS itself, or the one of the environment."""
        return self._endpoint is None or self._endpoint.endswith(_AWS)

    @property
    def _endpoint(self) -> str | None:
        """The service's URL; None for the one of the environment, else AWS's own."""
        return self._ref.endpoint or self._store.endpoint

    @property
    def place(self) -> str:
        """The volume's location in the vendor's commands, whose options name the endpoint."""
        match self._ref.kind:
            case Kind.FILE:
                return self._ref.prefix
            case Kind.VAST:
                return replace(self._ref, kind=Kind.S3, endpoint=None).url
            case _:
                return self._ref.url

    def aws(self, command: str) -> str:
        """Return an AWS command with the endpoint, profile and certificates of the configuration."""
        bundle = self._store.ca_bundle
        options = {
            "--endpoint-url": self._endpoint,
            "--profile": self._store.profile,
            "--ca-bundle": None if bundle is None else str(bundle),
        }
        said = [f" {option} {shlex.quote(value)}" for option, value in options.items() if value]
        return f"aws {command}{''.join(said)}"
