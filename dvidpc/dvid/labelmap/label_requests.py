"""What the endpoints that read the label index have in common: the index, and the label of a request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.labelmap import LabelmapData
from dvidpc.data.volume_index import VolumeIndex
from dvidpc.dvid.labelmap.mappings import not_indexed
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.index.label_index_reader import LabelIndexReader
from dvidpc.index.size_table import Rows


@dataclass(frozen=True, slots=True)
class Indexed:
    """A labelmap with its label index."""

    instance: Instance[LabelmapData]
    index: VolumeIndex
    reader: LabelIndexReader


IndexHandler = Callable[[web.Request, Indexed], Awaitable[web.StreamResponse]]
MapHandler = Callable[[web.Request, Instance[LabelmapData]], Awaitable[web.StreamResponse]]

AT_A_TIME: Final = 16
"""Labels of one request whose blocks are read at a time."""

AS_BODY = "Label 0 is protected background value and cannot be queried as body.\n"
AS_VOLUME = "Label 0 is protected background value and cannot be used as sparse volume.\n"


def indexed(handler: IndexHandler) -> MapHandler:
    """Return *handler*, which reads the label index, as a handler of any labelmap.

    A labelmap without a label index is refused in DVID's words, one whose index cannot be used by a 503.
    """

    async def answer(request: web.Request, instance: Instance[LabelmapData]) -> web.StreamResponse:
        index = instance.data.index
        if index is None:
            return await not_indexed(request, instance)
        return await handler(request, Indexed(instance, index, index.reader()))

    return answer


def label_of(request: web.Request, missing: str, background: str) -> int:
    """Return the label that follows the name of the endpoint.

    Args:
        request: The request.
        missing: The refusal of a path without a label.
        background: The refusal of label 0.

    Raises:
        RequestError: There is no label, or it is 0.
    """
    _, *parts = call_parts(request)
    if not parts or not parts[0]:
        raise RequestError(missing)
    label = parse_uint64(parts[0])
    if label == 0:
        raise RequestError(background)
    return label


async def find_body(request: web.Request, reader: LabelIndexReader, missing: str) -> Rows | None:
    """Return the row of the body that the path names; None if the volume does not have it.

    Raises:
        LabelIndexError: The index is damaged.
        RequestError: The path names no body.
        StoreError: The bucket failed.
    """
    return await reader.find(label_of(request, missing, AS_BODY))


def no_such_label() -> web.Response:
    """Return DVID's answer for a label that the volume does not have."""
    return web.Response(status=404)
