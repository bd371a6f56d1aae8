"""The ids of all values of a directory: those of its objects, or those in the indexes of its shards."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.sources.precomputed import shard_indexes
from dvidpc.sources.precomputed.shard_indexes import PAGE_ENTRIES
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel

_NAME: Final = re.compile(r"(0|[1-9][0-9]{0,19})(?:\.gz|\.br|\.zst|\.zstd)?", re.ASCII)
_BATCH: Final = 64
"""Minishards that are read concurrently."""


async def list_values(
    store: ObjectStore, lister: Lister, directory: str, sharding: ShardingSpec | None, max_ids: int
) -> AsyncIterator[Sequence[int]]:
    """Yield the ids of the values below *directory*, some at a time, each once.

    Args:
        store: Reads indexes.
        lister: Lists objects.
        directory: Where the values lie, as the store knows it.
        sharding: How ids are distributed over shards; None: each value is an object.
        max_ids: Ids of one minishard beyond which its index is surely damaged.

    Raises:
        FormatError: An index breaks the format; the message names the shard.
        StoreError: The bucket failed, or refuses to list.
    """
    async for page in lister.list_below(directory):
        names = [each.name for each in page]
        if sharding is None:
            yield [int(match[1]) for match in map(_NAME.fullmatch, names) if match]
            continue
        for name in names:
            if name.endswith(".shard") and "/" not in name:
                key = f"{directory}/{name}" if directory else name
                async for ids in _ids_in_shard(store, key, sharding, max_ids):
                    yield ids


async def _ids_in_shard(
    store: ObjectStore, key: str, spec: ShardingSpec, max_ids: int
) -> AsyncIterator[Sequence[int]]:
    bounds = shard_indexes.bounds_for(max_ids)
    count = 1 << spec.minishard_bits
    for page in range(-(-count // PAGE_ENTRIES)):
        blob = await shard_indexes.read_page(store, key, page, spec)
        if blob is None:
            return
        try:
            places = [
                shard_indexes.find_minishard(blob.data, entry, spec, bounds)
                for entry in range(min(PAGE_ENTRIES, count - page * PAGE_ENTRIES))
            ]
            found = [where for where in places if where is not None]
            for at in range(0, len(found), _BATCH):
                batch = found[at : at + _BATCH]
                blobs = await gather_or_cancel(
                    store.get_range(key, where, version=blob.version) for where in batch
                )
                for index in blobs:
                    if index is not None:
                        ids: list[int] = shard_indexes.decode_index(
                            index.data, spec, bounds
                        ).chunk_ids.tolist()
                        yield ids
        except FormatError as error:
            raise FormatError(f"{name_object(store.url, key)}: {error}") from error
