"""Which versions of a volume's objects an index was built from: the object `sources` of an index."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.sources.precomputed.planning import PrecomputedScale
from dvidpc.sources.scale_plan import ScalePlan
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.versions import Comparison, Version, compare
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange

SOURCES_KEY: Final = "sources"
MAX_SOURCES_SIZE: Final = 256 * 2**20
"""Size limit in bytes: a million shards."""
_TYPE: Final = "dvidpc_label_index_sources"
_MOST_ASKED: Final = 2**20
"""Shards that are asked for one by one, where the store cannot be listed."""
_TOGETHER: Final = 256
"""Shards that are asked for at the same time; the store sends fewer requests."""
_SHARD: Final = re.compile(r"[0-9a-f]+\.shard", re.ASCII)


class SourceObject(msgspec.Struct, frozen=True):
    """A shard of the volume."""

    key: str
    etag: str | None
    """None if the store gives none."""
    size: int | None
    """Bytes; None if the store does not say."""
    modified: str | None
    """When it was last written; None if the store does not say."""

    @property
    def version(self) -> Version:
        """What tells whether the shard was replaced."""
        return Version(self.etag, self.size, self.modified)


class Sources(msgspec.Struct, frozen=True):
    """The content of the object `sources`."""

    type: str = msgspec.field(name="@type")
    objects: tuple[SourceObject, ...] | None
    """The shards; None: chunks are objects of their own, whose versions are not kept."""


async def find_sources(store: ObjectStore, lister: Lister | None, scale: ScalePlan) -> bytes:
    """Return the object `sources` for a scale as it is now: the version of every shard.

    Raises:
        StoreError: The bucket failed.
    """
    stored = scale.stored
    spec = stored.scale.sharding if isinstance(stored, PrecomputedScale) else None
    objects = None
    if spec is not None and isinstance(stored, PrecomputedScale):
        names = await _list_shards(lister, stored.directory, spec)
        keys = [f"{stored.directory}/{name}" if stored.directory else name for name in names or ()]
        found = await _look_at_all(store, keys)
        objects = None if names is None else tuple(one for one in found if one is not None)
    return msgspec.json.format(msgspec.json.encode(Sources(_TYPE, objects)), indent=1) + b"\n"


async def find_changes(store: ObjectStore, data: bytes) -> list[str]:
    """Return the keys of shards that were replaced or removed since the object `sources` was written.

    Raises:
        FormatError: *data* is malformed.
        StoreError: The bucket failed.
    """
    objects = parse_sources(data).objects or ()
    found = await _look_at_all(store, [known.key for known in objects])
    return [
        known.key
        for known, now in zip(objects, found, strict=True)
        if now is None or compare(known.version, now.version) is Comparison.REPLACED
    ]


def parse_sources(data: bytes) -> Sources:
    """Parse the object `sources`.

    Raises:
        FormatError: It is malformed.
    """
    try:
        sources = msgspec.json.decode(data, type=Sources)
    except msgspec.DecodeError as error:
        raise FormatError(f"{SOURCES_KEY} of the index: {error}") from error
    if sources.type != _TYPE:
        raise FormatError(f"{SOURCES_KEY} of the index has another @type than {_TYPE}")
    return sources


async def _list_shards(lister: Lister | None, directory: str, spec: ShardingSpec) -> list[str] | None:
    """Return the names of the shards, ascending; None if there are too many to ask for."""
    if lister is None:
        total = 1 << spec.shard_bits
        return [spec.shard_name(shard) for shard in range(total)] if total <= _MOST_ASKED else None
    return sorted(
        [
            entry.name
            async for page in lister.list_below(directory)
            for entry in page
            if _SHARD.fullmatch(entry.name)
        ]
    )


async def _look_at_all(store: ObjectStore, keys: Sequence[str]) -> list[SourceObject | None]:
    found: list[SourceObject | None] = []
    for start in range(0, len(keys), _TOGETHER):
        found += await gather_or_cancel(_look_at(store, key) for key in keys[start : start + _TOGETHER])
    return found


async def _look_at(store: ObjectStore, key: str) -> SourceObject | None:
    """Read the first byte of a shard, for its version; None if it does not exist."""
    blob = await store.get_range(key, ByteRange(0, 1))
    if blob is None:
        return None
    return SourceObject(key, blob.version.etag, blob.version.size, blob.version.modified)
