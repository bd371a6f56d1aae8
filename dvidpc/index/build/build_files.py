"""Where a build writes: a directory, or a bucket of S3 or Google through Arrow.

An object is there whole or not at all.
"""

# Arrow and botocore are imported for buckets only; a directory needs neither.
# ruff: noqa: PLC0415

import os
import posixpath
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from dvidpc.errors import ConfigError, StoreError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import Kind

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

T = TypeVar("T")

_UNFINISHED: Final = ".part"
"""How the names of files end that are being written."""


class BuildFiles(Protocol):
    """The objects below one directory. Names are relative to it.

    All methods raise StoreError if the store fails.
    """

    def sizes(self, directory: str) -> dict[str, int]:
        """Return the objects right below a directory, with their bytes; none if it does not exist."""

    def read(self, name: str) -> bytes | None:
        """Return an object; None if there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write an object, or replace it."""

    def open(self, name: str) -> BinaryIO:
        """Open an object, which must exist, for random access."""

    def remove(self, name: str) -> None:
        """Remove an object, if there is one."""

    def sweep(self, directory: str) -> None:
        """Remove what writers that were killed have left right below a directory."""

    def clear(self) -> None:
        """Remove everything."""


class DirectoryFiles:
    """Files of a directory, which is made when the first is written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def sizes(self, directory: str) -> dict[str, int]:
        """As `BuildFiles.sizes`."""
        return _naming(self._directory / directory, lambda: dict(self._sizes(directory)))

    def _sizes(self, directory: str) -> dict[str, int]:
        try:
            with os.scandir(self._directory / directory) as entries:
                found = [entry for entry in entries if entry.is_file()]
                return {
                    entry.name: entry.stat().st_size
                    for entry in found
                    if not entry.name.endswith(_UNFINISHED)
                }
        except FileNotFoundError:
            return {}

    def read(self, name: str) -> bytes | None:
        """As `BuildFiles.read`."""
        path = self._directory / name
        return _naming(path, lambda: path.read_bytes() if path.exists() else None)

    def write(self, name: str, data: bytes) -> None:
        """As `BuildFiles.write`: under another name first."""
        path = self._directory / name
        _naming(path, lambda: _replace(path, data))

    def open(self, name: str) -> BinaryIO:
        """As `BuildFiles.open`."""
        path = self._directory / name
        return _naming(path, lambda: path.open("rb"))

    def remove(self, name: str) -> None:
        """As `BuildFiles.remove`."""
        path = self._directory / name
        _naming(path, lambda: path.unlink(missing_ok=True))

    def sweep(self, directory: str) -> None:
        """As `BuildFiles.sweep`."""
        for path in (self._directory / directory).glob(f".*{_UNFINISHED}"):
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """As `BuildFiles.clear`."""
        _naming(self._directory, lambda: shutil.rmtree(self._directory))


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class ArrowFiles:
    """Objects of a bucket, through a file system of Arrow.

    Args:
        files: The file system.
        prefix: The bucket and the directory.
        url: The directory for messages.
    """

    def __init__(self, files: "FileSystem", prefix: str, url: str) -> None:
        self._files = files
        self._prefix = prefix
        self._url = url

    def sizes(self, directory: str) -> dict[str, int]:
        """As `BuildFiles.sizes`."""
        from pyarrow.fs import FileSelector, FileType

        selector = FileSelector(self._path(directory), allow_not_found=True)
        found = _naming(self._name(directory), lambda: self._files.get_file_info(selector))
        return {info.base_name: info.size for info in found if info.type == FileType.File}

    def read(self, name: str) -> bytes | None:
        """As `BuildFiles.read`."""

        def read() -> bytes | None:
            try:
                with self._files.open_input_stream(self._path(name)) as stream:
                    return bytes(stream.read())
            except FileNotFoundError:
                return None

        return _naming(self._name(name), read)

    def write(self, name: str, data: bytes) -> None:
        """As `BuildFiles.write`: an upload that does not end leaves no object."""

        def write() -> None:
            with self._files.open_output_stream(self._path(name)) as stream:
                stream.write(data)

        _naming(self._name(name), write)

    def open(self, name: str) -> BinaryIO:
        """As `BuildFiles.open`."""
        opened: BinaryIO = _naming(self._name(name), lambda: self._files.open_input_file(self._path(name)))
        return opened

    def remove(self, name: str) -> None:
        """As `BuildFiles.remove`."""

        def remove() -> None:
            try:
                self._files.delete_file(self._path(name))
            except FileNotFoundError:
                return

        _naming(self._name(name), remove)

    def sweep(self, directory: str) -> None:
        """As `BuildFiles.sweep`: there is nothing."""

    def clear(self) -> None:
        """As `BuildFiles.clear`."""
        _naming(self._url, lambda: self._files.delete_dir_contents(self._prefix, missing_dir_ok=True))

    def _path(self, name: str) -> str:
        return posixpath.join(self._prefix, name)

    def _name(self, name: str) -> str:
        return posixpath.join(self._url, name)


def open_files(access: BucketAccess) -> BuildFiles:
    """Open a directory for writing.

    Raises:
        ConfigError: It is a web server, which cannot be written.
        StoreError: There are no credentials.
    """
    ref = access.ref
    match ref.kind:
        case Kind.FILE:
            return DirectoryFiles(Path(ref.prefix))
        case Kind.S3 | Kind.VAST:
            return ArrowFiles(_open_s3(access), posixpath.join(ref.bucket, ref.prefix), ref.url)
        case Kind.GCS:
            return ArrowFiles(_open_gcs(access), posixpath.join(ref.bucket, ref.prefix), ref.url)
        case Kind.HTTP:
            raise ConfigError(
                f"{ref.url} is a web server, which cannot be written; name a directory, or a bucket of S3 or "
                "Google"
            )


def _open_s3(access: BucketAccess) -> "FileSystem":
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session
    from pyarrow.fs import S3FileSystem

    options: dict[str, Any] = {}
    endpoint = access.ref.endpoint or access.endpoint
    if endpoint:
        options["endpoint_override"] = urlsplit(endpoint).netloc
        options["scheme"] = urlsplit(endpoint).scheme
    try:
        session = Session(profile=access.profile)
        region = access.region or session.get_config_variable("region")
        keys = None if access.anonymous else session.get_credentials()
    except BotoCoreError as error:
        raise StoreError(f"{access.ref.url}: {error}") from error
    if region:
        options["region"] = region
    if keys is None:
        return S3FileSystem(anonymous=True, **options)
    frozen = keys.get_frozen_credentials()
    return S3FileSystem(
        access_key=frozen.access_key, secret_key=frozen.secret_key, session_token=frozen.token, **options
    )


def _open_gcs(access: BucketAccess) -> "FileSystem":
    from pyarrow.fs import GcsFileSystem

    options: dict[str, Any] = {"anonymous": True} if access.anonymous else {}
    if access.endpoint:
        options["endpoint_override"] = urlsplit(access.endpoint).netloc
        options["scheme"] = urlsplit(access.endpoint).scheme
    return GcsFileSystem(**options)


def _naming(name: object, step: Callable[[], T]) -> T:
    """Run *step*, and turn what the system or Arrow raises into a StoreError that names the object."""
    try:
        return step()
    except OSError as error:
        raise StoreError(f"{name}: {error.strerror or error}") from error
