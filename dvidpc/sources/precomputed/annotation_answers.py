"""Writes elements as the bodies of DVID's answers, step by step in the thread pool."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from dvidpc.errors import TooLargeError
from dvidpc.formats.dvid.annotation_text import encode_blocks, encode_elements
from dvidpc.formats.dvid.elements import Elements
from dvidpc.formats.precomputed.annotation_elements import BLOCK_SIZE
from dvidpc.sources.precomputed.annotation_places import AnnotationTools

_SLICE: Final = 500
"""Elements that are written in one step: a few milliseconds, in which other threads may have to wait."""


async def write_list(elements: Elements, tools: AnnotationTools) -> bytes:
    """Return elements as a list.

    Raises:
        TooLargeError: It is larger than an answer may be.
    """
    parts, size = [b"["], 2
    for start in range(0, len(elements), _SLICE):
        stop = min(start + _SLICE, len(elements))
        part = await tools.run(partial(_write_slice, elements, start, stop))
        size += len(part)
        _check_size(size, len(elements), tools)
        parts.append(part)
    return await tools.run(partial(b"".join, [*parts, b"]"]))


async def write_blocks(elements: Elements, tools: AnnotationTools) -> AsyncIterator[bytes]:
    """Yield the parts of elements by block; *elements* are sorted by block."""
    for start in range(0, max(len(elements), 1), _SLICE):
        stop = min(start + _SLICE, len(elements))
        yield await tools.run(partial(encode_blocks, elements, BLOCK_SIZE, start, stop))


async def join_parts(parts: AsyncIterator[bytes], count: int, tools: AnnotationTools) -> bytes:
    """Return all parts of an answer with *count* elements as one; errors are those of `write_list`."""
    whole, size = [], 0
    async for part in parts:
        size += len(part)
        _check_size(size, count, tools)
        whole.append(part)
    return await tools.run(partial(b"".join, whole))


def _write_slice(elements: Elements, start: int, stop: int) -> bytes:
    """Return elements with a comma before each but the first of all."""
    lines = encode_elements(elements, start, stop)
    return b",".join([b"", *lines] if start else lines)


def _check_size(size: int, count: int, tools: AnnotationTools) -> None:
    if size > tools.max_response:
        raise TooLargeError(
            f"{count} elements asked for, which are more than {size} bytes; this server answers at most "
            f"{tools.max_response} (max_response)"
        )
