"""The endpoints `sparsevol` and `sparsevol-by-point`: the voxels of a label.

(labelmap/handlers.go, handleSparsevol, and labelidx.go, 3400c2cb)
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

import imagecodecs
import numpy as np
from aiohttp import hdrs, web
from numpy.typing import NDArray

from dvidpc.counters import TALLY
from dvidpc.data.image import ImageData
from dvidpc.dvid.labelmap.label_requests import AS_VOLUME, Indexed, label_of, no_such_label
from dvidpc.dvid.labelmap.levels import level_of
from dvidpc.dvid.labelmap.points import off_loop
from dvidpc.dvid.labelmap.volume_bounds import Bounds, parse_bounds
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import HTML
from dvidpc.dvid.url.coordinates import parse_point
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError, TooLargeError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.label_index import MAX_BLOCK_SIZE, LabelBlocks, halve_blocks
from dvidpc.formats.dvid.label_payloads import compress_gzip
from dvidpc.formats.dvid.sparse_volume import (
    RUN_SIZE,
    RunJoiner,
    Runs,
    encode_mask,
    encode_masks_header,
    encode_runs,
    encode_runs_header,
)
from dvidpc.http.streaming import send, stream
from dvidpc.types import BlockCoord
from dvidpc.volume.label_masks import BlockMask, masks_of

_COMPRESSORS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "": bytes,
        "lz4": lambda data: bytes(imagecodecs.lz4_encode(data, header=False)),
        "gzip": compress_gzip,
    }
)
"""How a volume with a header can be compressed, by the value of `compression`."""

_TOGETHER: Final = 16
"""Blocks whose runs are made in one trip to the pool."""
_SLICE: Final = 4096


@dataclass(frozen=True, slots=True)
class _Volume:
    """A sparse volume that was asked for."""

    indexed: Indexed
    label: int
    level: ImageData
    """The scale."""
    bounds: Bounds
    is_exact: bool
    """Whether voxels outside the bounds are left out of runs, not only blocks."""
    blocks: NDArray[np.int32]
    """The blocks of the scale that may hold voxels of it, ascending."""
    expected: NDArray[np.uint32] | None
    """How many voxels the index says that each has; None where the scale is not the one that was indexed."""


async def sparsevol(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sparsevol/<label>[?format=][&scale=][&minx=...][&exact=false][&compression=]`.

    HEAD tells whether there is such a label, whatever the bounds: 200 or 204.
    """
    level = level_of(request, indexed.instance).data
    label = label_of(request, "ERROR: DVID requires label ID to follow 'sparsevol' command", AS_VOLUME)
    return await _answer(request, indexed, level, label)


async def sparsevol_by_point(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sparsevol-by-point/<x_y_z>`: the sparse volume of the label at a voxel of the scale."""
    level = level_of(request, indexed.instance).data
    _, *parts = call_parts(request)
    if not parts or not parts[0]:
        raise RequestError("ERROR: DVID requires coord to follow 'sparsevol-by-point' command")
    assert level.lookup is not None
    label = await level.lookup.label_at(parse_point(parts[0], "Coordinate"))
    if label == 0:
        raise RequestError(AS_VOLUME)
    return await _answer(request, indexed, level, label)


async def _answer(request: web.Request, indexed: Indexed, level: ImageData, label: int) -> web.StreamResponse:
    query = request.query
    try:
        bounds = parse_bounds(query)
    except RequestError as error:
        raise RequestError(f"error parsing bounds from query string: {error}") from None
    row = await indexed.reader.find(label)
    if request.method == hdrs.METH_HEAD:
        return web.Response(status=204 if row is None else 200, content_type=HTML)
    if row is None:
        return no_such_label()
    limits = request.app[SERVICES].limits
    check_size(int(row["blocks"][0]) * MAX_BLOCK_SIZE, limits.max_response)
    found = await indexed.reader.blocks_of(row)
    is_exact = query.get("exact") != "false"
    choose = partial(_choose, indexed, label, level, found, bounds, is_exact=is_exact)
    volume = await off_loop(found.nbytes, choose)
    if not len(volume.blocks):
        return no_such_label()
    TALLY.get().blocks = len(volume.blocks)
    match query.get("format"):
        case "srles":
            return await stream(request, _encoded_runs(volume))
        case "blocks":
            return await stream(request, _encoded_masks(volume))
    compress = _COMPRESSORS.get(compression := query.get("compression", ""))
    if compress is None:
        raise RequestError(f"unknown compression type {quote(compression)}")
    return await send(request, await _whole(volume, compress, limits.max_sparsevol))


def _choose(
    indexed: Indexed, label: int, level: ImageData, found: LabelBlocks, bounds: Bounds, *, is_exact: bool
) -> _Volume:
    """Return the volume with the blocks of its scale that may hold voxels of it."""
    halvings = indexed.instance.data.levels.index(level)
    blocks = halve_blocks(found.xyz, halvings)
    touched = bounds.touch(blocks)
    expected = None if halvings else found.voxels[touched]
    return _Volume(indexed, label, level, bounds, is_exact, blocks[touched], expected)


async def _whole(volume: _Volume, compress: Callable[[bytes], bytes], max_size: int) -> list[bytes]:
    """Return the header and the runs, compressed as one; nothing if there are no runs, as in DVID.

    Raises:
        TooLargeError: They exceed *max_size* bytes.
    """
    parts = []
    size = 0
    async with aclosing(_runs(volume)) as batches:
        async for runs in batches:
            parts.append(encode_runs(runs))
            size += len(parts[-1])
            if size > max_size:
                raise TooLargeError(
                    f"label {volume.label} has more than {max_size} bytes of runs (max_sparsevol); ask for "
                    "format=srles, which is streamed, for a coarser scale, or for less by minx, maxx, ..."
                )
    if not size:
        return []
    whole = [encode_runs_header(size // RUN_SIZE), *parts]
    if compress is bytes:
        return whole
    return [await volume.level.grid.in_pool(lambda: compress(b"".join(whole)))]


async def _encoded_runs(volume: _Volume) -> AsyncGenerator[bytes, None]:
    async with aclosing(_runs(volume)) as batches:
        async for runs in batches:
            yield encode_runs(runs)


async def _encoded_masks(volume: _Volume) -> AsyncGenerator[bytes, None]:
    """Yield the header and the masks of whole blocks, as in DVID; nothing if no block has the label."""
    header = encode_masks_header(volume.label)
    async with aclosing(_masks(volume)) as masks:
        async for one in masks:
            yield header + await volume.level.grid.in_pool(partial(encode_mask, one.block, one.mask))
            header = b""


async def _runs(volume: _Volume) -> AsyncGenerator[Runs, None]:
    """Yield the runs of a volume."""
    joiner = RunJoiner()
    bounds = volume.bounds

    def join(batch: list[BlockMask]) -> Runs:
        cut = bounds.cut if volume.is_exact else (lambda _block, mask: mask)
        return np.concatenate([joiner.add(one.block, cut(one.block, one.mask)) for one in batch])

    batch: list[BlockMask] = []
    async with aclosing(_masks(volume)) as masks:
        async for one in masks:
            batch.append(one)
            if len(batch) == _TOGETHER:
                yield await volume.level.grid.in_pool(partial(join, batch))
                batch = []
    if batch:
        yield await volume.level.grid.in_pool(partial(join, batch))
    yield joiner.finish()


async def _masks(volume: _Volume) -> AsyncGenerator[BlockMask, None]:
    """Yield the masks of the blocks that hold the label.

    Raises:
        LabelIndexError: A block has another number of voxels than the index says: the volume has changed.
    """
    lookup = volume.level.lookup
    assert lookup is not None
    found = masks_of(lookup.copies, volume.level.grid.block_size, volume.label, _each(volume.blocks))
    at = 0
    async with aclosing(found) as masks:
        async for one in masks:
            if volume.expected is not None and one.voxels != volume.expected[at]:
                raise volume.indexed.index.condemn(
                    f"the label index does not fit the volume: label {volume.label} has {one.voxels} voxels "
                    f"in block {tuple(one.block)}, and the index says {volume.expected[at]}"
                )
            at += 1
            if one.voxels:
                yield one


def _each(blocks: NDArray[np.int32]) -> Iterator[BlockCoord]:
    """Yield block coordinates; a list of a million would take 200 MB."""
    for at in range(0, len(blocks), _SLICE):
        yield from (BlockCoord(*block) for block in blocks[at : at + _SLICE].tolist())
