"""Reads files of a directory, by obstore."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError
from obstore.store import LocalStore

from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import Blob
from dvidpc.storage.object_checks import check_etag, check_size, if_match, name_object, undo_encoding
from dvidpc.types import ByteRange

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

SETTLE_S: Final = 0.05
"""How long to sleep after the last use of obstore. One of its threads that has handed over a result still
waits for the interpreter's lock, to return from `call_soon_threadsafe`; if the interpreter ends before, that
thread aborts the process. Seen in 1 of 15 short processes without this pause; during it the lock is free."""


class DirectoryStore:
    """An `ObjectStore` over a directory."""

    def __init__(
        self, directory: LocalStore, *, url: str, timeout_s: float, suffixes: Mapping[str, str]
    ) -> None:
        """Read what lies below *directory*.

        Args:
            directory: Where files are.
            url: How messages name the place.
            timeout_s: How long to wait for a file to be opened.
            suffixes: Other names to try for an absent file, and the encoding that each means.
        """
        self._directory: LocalStore | None = directory
        self._url = url
        self._timeout_s = timeout_s
        self._suffixes = suffixes

    @property
    def url(self) -> str:
        """As `ObjectStore.url`."""
        return self._url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        for suffix, encoding in {"": None, **self._suffixes}.items():
            name = name_object(self._url, key + suffix)
            result = await self._open(name, key + suffix, {})
            if result is not None:
                check_size(name, result.meta["size"], max_size)
                data = await _read(name, result)
                data = await undo_encoding(name, data, encoding, max_size=max_size)
                return Blob(data, result.meta["e_tag"])
        return None

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As `ObjectStore.get_range`."""
        name = name_object(self._url, key)
        options: GetOptions = {"range": (byte_range.start, byte_range.stop)}
        if condition := if_match(etag):
            options["if_match"] = condition
        try:
            result = await self._open(name, key, options)
        except StoreError:
            await self._check_length(name, key, byte_range, etag)
            raise
        if result is None:
            return None
        check_etag(name, known=etag, found=result.meta["e_tag"])
        if tuple(result.range) != byte_range:
            raise _too_short(name, byte_range, result.meta["size"])
        return Blob(await _read(name, result), result.meta["e_tag"])

    async def close(self) -> None:
        """Drop obstore's store; end or cancel all reads before."""
        self._directory = None
        await asyncio.sleep(SETTLE_S)

    async def _open(self, name: str, key: str, options: "GetOptions") -> "GetResult | None":
        """The file, ready to be read; None if there is none."""
        if self._directory is None:
            raise StoreError(f"{name} cannot be read: the store is closed")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await obstore.get_async(self._directory, key, options=options)
        except TimeoutError as error:
            raise StoreTimeoutError(f"{name}: no answer within {self._timeout_s:g} s") from error
        except FileNotFoundError:
            return None
        except PermissionDeniedError as error:
            raise StoreRefusedError(
                f"{name} cannot be read: the user of this process may not", 403
            ) from error
        except PreconditionError as error:
            raise ObjectChangedError(
                f"{name} was replaced: its etag is not {options.get('if_match')}"
            ) from error
        except BaseError as error:
            raise StoreError(f"{name} cannot be read: {type(error).__name__} of the file system") from error
        except ValueError as error:
            raise FormatError(f"{name} is no possible object") from error

    async def _check_length(self, name: str, key: str, byte_range: ByteRange, etag: str | None) -> None:
        """Raise what is wrong with a range that may lie beyond the object; return if nothing is."""
        result = await self._open(name, key, {"head": True})
        if result is not None:
            check_etag(name, known=etag, found=result.meta["e_tag"])
            if result.meta["size"] < byte_range.stop:
                raise _too_short(name, byte_range, result.meta["size"])


async def _read(name: str, result: "GetResult") -> bytes:
    """The bytes, as many as were promised; the caller has checked that."""
    start, stop = result.range
    try:
        data = bytes(await result.bytes_async())  # a stream takes ten times as long
    except (BaseError, OSError) as error:
        raise StoreError(f"{name} cannot be read to its end: {type(error).__name__}") from error
    if len(data) != stop - start:
        raise StoreError(f"{name} cannot be read: {len(data)} bytes come instead of {stop - start}")
    return data


def _too_short(name: str, byte_range: ByteRange, size: int) -> FormatError:
    return FormatError(
        f"{name} ends at byte {size}, before its bytes {byte_range.start}-{byte_range.stop} do"
    )
