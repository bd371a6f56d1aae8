"""The endpoints `listlabels` and `existing-labels`: all labels, ascending, from the index's table."""

from collections.abc import AsyncGenerator
from typing import Final

import numpy as np
from aiohttp import hdrs, web

from dvidpc.dvid.labelmap.label_requests import Indexed
from dvidpc.dvid.table import JSON
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.errors import RequestError
from dvidpc.http.streaming import stream
from dvidpc.index.label_index_reader import LabelIndexReader

MOST_LISTED: Final = 10_000_000
"""Labels of one answer to `listlabels`, as in DVID."""

_LAST: Final = 2**64 - 1


async def list_labels(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `listlabels[?start=][&number=][&sizes=true]`: uint64 labels, each followed by its size if asked.

    (labelmap/handlers.go, handleListLabels, 3400c2cb)
    """
    query = request.query
    start = parse_uint64(query["start"]) if query.get("start") else 0
    number = parse_uint64(query["number"]) if query.get("number") else MOST_LISTED
    if request.method == hdrs.METH_HEAD:
        raise RequestError("only GET actions allowed for /listlabels endpoint")
    columns = ["label", "voxels"] if query.get("sizes") == "true" else ["label"]
    return await stream(request, _list(indexed.reader, start, min(number, MOST_LISTED), columns))


async def existing_labels(request: web.Request, indexed: Indexed) -> web.StreamResponse:
    """Answer `existing-labels`: a JSON list of all labels."""
    return await stream(request, _list_as_json(indexed.reader), more={hdrs.CONTENT_TYPE: JSON})


async def _list(
    reader: LabelIndexReader, start: int, number: int, columns: list[str]
) -> AsyncGenerator[bytes, None]:
    left = number
    if not left:
        return
    async for rows in reader.rows_from(start, _LAST):
        taken = rows[:left]
        yield np.stack([taken[name] for name in columns], axis=1).astype("<u8").tobytes()
        left -= len(taken)
        if not left:
            return


async def _list_as_json(reader: LabelIndexReader) -> AsyncGenerator[bytes, None]:
    before = b"["
    async for rows in reader.rows_from(0, _LAST):
        yield before + ",".join(map(str, rows["label"].tolist())).encode()
        before = b","
    yield b"[]" if before == b"[" else b"]"
