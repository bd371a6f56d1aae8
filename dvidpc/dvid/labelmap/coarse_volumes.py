"""The endpoints `sparsevol-coarse` and `sparsevols-coarse`: the blocks of labels, from the index alone.

(labelmap/labelidx.go, GetSparseCoarseVol and WriteSparseCoarseVols, 3400c2cb)
"""

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Final

from aiohttp import web

from dvidpc.dvid.labelmap.label_requests import AS_VOLUME, AT_A_TIME, Indexed, label_of, no_such_label
from dvidpc.dvid.labelmap.points import off_loop
from dvidpc.dvid.labelmap.volume_bounds import Bounds, parse_bounds
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.label_index import MAX_BLOCK_SIZE, LabelBlocks
from dvidpc.formats.dvid.sparse_volume import Runs, encode_runs, encode_runs_header, runs_of_blocks
from dvidpc.http.streaming import send, stream
from dvidpc.index.label_index_reader import LabelIndexReader
from dvidpc.index.size_table import Rows
from dvidpc.tasks import in_order

_NO_LABEL: Final = "DVID requires label ID to follow 'sparsevol-coarse' command"
_NO_LABELS: Final = "DVID requires start and end label ID to follow 'sparsevols-coarse' command"


async def coarse_volume(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sparsevol-coarse/<label>[?minx=...]`: a header, and the runs of the label's blocks."""
    label = label_of(request, _NO_LABEL, AS_VOLUME)
    bounds = _bounds_of(request)
    row = await indexed.reader.find(label)
    if row is None:
        return no_such_label()
    check_size(int(row["blocks"][0]) * MAX_BLOCK_SIZE, request.app[SERVICES].limits.max_response)
    blocks = await indexed.reader.blocks_of(row)
    runs = await off_loop(blocks.nbytes, partial(_runs_within, bounds, blocks))
    return await send(request, [encode_runs_header(len(runs)), encode_runs(runs)])


async def coarse_volumes(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `sparsevols-coarse/<first>/<last>`: each label as uint64, the number of its runs, the runs."""
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError(_NO_LABELS)
    first, last = parse_uint64(parts[0]), parse_uint64(parts[1])
    if first == 0 or last == 0:
        raise RequestError(AS_VOLUME)
    bounds = _bounds_of(request)
    return await stream(request, _volumes(indexed.reader, first, last, bounds))


async def _volumes(
    reader: LabelIndexReader, first: int, last: int, bounds: Bounds
) -> AsyncGenerator[bytes, None]:
    async with aclosing(reader.rows_from(first, last)) as pages:
        async for rows in pages:
            work = (_volume(reader, rows[at : at + 1], bounds) for at in range(len(rows)))
            async with aclosing(in_order(work, AT_A_TIME)) as volumes:
                async for volume in volumes:
                    yield volume


async def _volume(reader: LabelIndexReader, row: Rows, bounds: Bounds) -> bytes:
    blocks = await reader.blocks_of(row)
    runs = await off_loop(blocks.nbytes, partial(_runs_within, bounds, blocks))
    return struct.pack("<Qi", int(row["label"][0]), len(runs)) + encode_runs(runs)


def _runs_within(bounds: Bounds, blocks: LabelBlocks) -> Runs:
    return runs_of_blocks(blocks.xyz[bounds.touch(blocks.xyz)])


def _bounds_of(request: web.Request) -> Bounds:
    try:
        return parse_bounds(request.query)
    except RequestError as error:
        raise RequestError(f"Error parsing bounds from query string: {error}\n") from None
