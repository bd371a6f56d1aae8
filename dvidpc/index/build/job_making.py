"""Makes the `BuildJob` of a store of the configuration."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from dvidpc.config import Config, StoreConfig
from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.precomputed.info import MAX_INFO_SIZE
from dvidpc.index.build.job import BuildJob, count_blocks, find_scale
from dvidpc.index.build.source_versions import find_sources
from dvidpc.index.label_index_reader import digest_of
from dvidpc.index.layout import choose_sharding
from dvidpc.sources.buckets import access_of, settings_of, upstream_limits_of
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.location import INFO_KEY
from dvidpc.storage.base import BucketAccess, Lister, ObjectStore
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import Ref, parse_ref
from dvidpc.storage.ref_formats import PRECOMPUTED


def find_store(config: Config, alias: str) -> StoreConfig:
    """Return a store of the configuration by its alias, or else by its instance.

    Raises:
        ConfigError: There is none.
    """
    for store in config.stores:
        if alias == store.alias:
            return store
    for store in config.stores:
        if alias == store.instance:
            return store
    known = ", ".join(store.alias for store in config.stores)
    raise ConfigError(f"--store {alias}: the configuration has no such store; it has {known}")


def parse_place(text: str) -> Ref:
    """Return the place that an argument names: a URL, or the path of a directory, which need not exist.

    Raises:
        ConfigError: It is neither.
    """
    return parse_ref(text if "://" in text else f"{Path(text).expanduser().absolute().as_uri()}/")


def writing_access(store: StoreConfig, ref: Ref) -> BucketAccess:
    """Return how to write below *ref*: as the volume is read, if it is in a bucket of the same kind."""
    return replace(access_of(store), ref=ref) if ref.kind is store.ref.kind else BucketAccess(ref)


@asynccontextmanager
async def opened_volume(
    config: Config, store: StoreConfig
) -> AsyncIterator[tuple[ObjectStore, Lister | None]]:
    """Open the bucket of a volume for reading and for listing."""
    access, limits = access_of(store), upstream_limits_of(config.limits)
    bucket = await open_store(access, limits, environ=os.environ)
    try:
        lister = await open_lister(access, limits, environ=os.environ)
        try:
            yield bucket, lister
        finally:
            if lister is not None:
                await lister.close()
    finally:
        await bucket.close()


async def make_job(
    config: Config, store: StoreConfig, output: BucketAccess, scratch: BucketAccess
) -> tuple[BuildJob, bytes]:
    """Look at a volume as it is now; return how to index it, and the object `sources`.

    Args:
        config: The configuration.
        store: The volume.
        output: The directory of the index.
        scratch: A directory for builds; that of this build is made below it.

    Raises:
        ConfigError: It is not a segmentation.
        FormatError: It does not exist, or its metadata is malformed.
        StoreError: The bucket failed.
    """
    async with opened_volume(config, store) as (bucket, lister):
        metadata = await ENGINES[store.engine].load(bucket, settings_of(store))
        etag = await _find_etag(bucket, metadata) if store.engine == PRECOMPUTED else ""
        scale = find_scale(store, metadata)
        sources = await find_sources(bucket, lister, scale)
    job = BuildJob(
        store,
        upstream_limits_of(config.limits),
        metadata,
        info_etag=etag,
        sources=digest_of(sources),
        sharding=choose_sharding(count_blocks(scale.box)),
        output=output,
        scratch=scratch,
    )
    return replace(job, scratch=replace(scratch, ref=_below(scratch.ref, job.fingerprint))), sources


async def _find_etag(bucket: ObjectStore, metadata: Metadata) -> str:
    """Return the ETag of the `info` of a precomputed volume; empty if the store gives none."""
    key = resolve_key(metadata.directory, INFO_KEY)
    blob = await bucket.get(key, max_size=MAX_INFO_SIZE, is_metadata=True)
    if blob is None or blob.data != metadata.data:
        raise FormatError(f"{metadata.url} was replaced while it was read")
    return blob.version.etag or ""


def default_scratch(output: Ref) -> Ref:
    """Return where scratch is if nothing else is said: beside the index."""
    return replace(output, prefix=f"{output.prefix}.scratch", text="")


def _below(ref: Ref, name: str) -> Ref:
    return replace(ref, prefix=f"{ref.prefix}/{name}" if ref.prefix else name, text="")
