"""Collections of annotations, written by neuroglancer's own writer, and servers of these."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import neuroglancer
import numpy as np
from neuroglancer.write_annotations import AnnotationWriter

from tests.segmentation import write_segmentation
from tests.serving import Asked, Server, config_text, serving
from tests.volumes import XYZ

BIG = 2**53 + 1
"""A body that a double does not hold."""


class Line(NamedTuple):
    """A connection, as `LINES` has it."""

    id: int
    a: XYZ
    b: XYZ
    values: Mapping[str, Any]
    pre: int
    post: int


LINES: Sequence[Line] = (
    Line(41, (100, 200, 300), (110, 205, 302), {"kind": 0, "conf": 0.875, "roi": 3}, 5, BIG),
    Line(42, (100, 200, 300), (90, 190, 299), {"kind": 0, "conf": 0.5, "roi": 7}, 5, 6),
    Line(7, (70, 40, 10), (60, 50, 20), {"kind": 1, "conf": 0.25, "roi": 3}, 6, 5),
)
PROPERTIES: Sequence[Mapping[str, Any]] = (
    {"id": "kind", "type": "uint8", "enum_values": [0, 1], "enum_labels": ["chemical", "gap"]},
    {"id": "conf", "type": "float32"},
    {"id": "roi", "type": "uint16", "enum_values": [3, 7], "enum_labels": ["EB", "FB"]},
)


def writer_of(
    kind: str,
    relationships: Sequence[str] = (),
    properties: Sequence[Mapping[str, Any]] = (),
    nm: float = 8,
) -> AnnotationWriter:
    """Return a writer of a collection whose unit is *nm* along each axis."""
    return AnnotationWriter(
        neuroglancer.CoordinateSpace(names=["x", "y", "z"], scales=[nm] * 3, units=["nm"] * 3),
        kind,
        relationships,
        [neuroglancer.AnnotationPropertySpec(**each) for each in properties],
    )


def write_lines(directory: Path, lines: Sequence[Line] = LINES, nm: float = 8) -> None:
    """Write lines whose ends are related to bodies."""
    writer = writer_of("line", ["pre_body", "post_body"], PROPERTIES, nm)
    for line in lines:
        writer.add_line(line.a, line.b, line.id, pre_body=line.pre, post_body=line.post, **line.values)
    writer.write(directory)


def write_bodies(directory: Path, nm: int = 8, size: XYZ = (128, 256, 320)) -> None:
    """Write a segmentation of one body, 5."""
    write_segmentation(directory, [np.full(size, 5, np.uint64)], (nm, nm, nm))


@asynccontextmanager
async def serving_lines(
    directory: Path,
    more: str = "",
    *,
    write: Callable[[Path], None] = write_lines,
    on_answer: Callable[[Asked], object] | None = None,
) -> AsyncIterator[Server]:
    """Serve the collection `syn` beside the segmentation `seg`; *more* is text in the section of `syn`."""
    if not (directory / "syn").exists():
        write(directory / "syn")
    if not (directory / "seg").exists():
        write_bodies(directory / "seg")
    stores = {"seg": directory / "seg", "syn": directory / "syn"}
    async with serving(config_text(stores, more), directory, on_answer=on_answer) as server:
        yield server
