"""Serve segmentations with their label indexes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from tests.dvid.labelmap.replay import ROOT, recorded_volumes
from tests.label_index import write_index
from tests.label_volumes import LabelScale, write_labels
from tests.serving import UUID, Server, serving


@asynccontextmanager
async def serving_indexed(
    directory: Path, volumes: Mapping[str, list[LabelScale]], more: str = "", uuid: str = UUID
) -> AsyncIterator[Server]:
    """Write volumes and their indexes below *directory* and serve them by name; *more* ends the file."""
    sections = [f'[repo]\nuuid = "{uuid}"\nalias = "labels"\n']
    for name, scales in volumes.items():
        write_labels(directory / name, *scales)
        finest = scales[0]
        info = (directory / name / "info").read_bytes()
        write_index(directory / f"{name}.index", info, without_holes(finest), finest.offset)
        sections.append(
            f'[store.{name}]\nengine = "ngprecomputed"\nref = "file://{directory}/{name}"\n'
            f'instance = "{name}"\nlabel_index = "{directory}/{name}.index"\n'
        )
    async with serving("\n".join([*sections, more]), directory) as server:
        yield server


def without_holes(scale: LabelScale) -> np.ndarray:
    """Return the labels of a scale as they are stored: 0 where a chunk is not."""
    labels = scale.labels.copy()
    for cell in scale.holes:
        x, y, z = (at * side for at, side in zip(cell, scale.chunk_size, strict=True))
        width, height, depth = scale.chunk_size
        labels[z : z + depth, y : y + height, x : x + width] = 0
    return labels


@asynccontextmanager
async def serving_recorded(directory: Path) -> AsyncIterator[Server]:
    """Serve what the recorded DVID had a label index of."""
    recorded = recorded_volumes()
    volumes = {
        "segmentation": recorded["segmentation_noindex"],
        "wide": recorded["wide"],
        "empty": [LabelScale(np.zeros((64, 64, 64), np.uint64))],
    }
    async with serving_indexed(directory, volumes, uuid=ROOT) as server:
        yield server
