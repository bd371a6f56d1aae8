"""Serve what the recorded DVID held, and compare answers by what they mean."""

import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import imagecodecs
import lz4.block
import numpy as np
from numpy.typing import NDArray

from tests import recorded_labels
from tests.blockstream import parse_stream
from tests.label_chunks import read_google
from tests.label_volumes import LabelScale, write_labels
from tests.recorded_labels import Answer, read_labels_block
from tests.serving import Server, serving

ROOT = "5ca1ab1e0dd5400fbe5700d5e1f5eed5"
BLOCK_NBYTES = 64**3 * 8


@asynccontextmanager
async def recorded_server(directory: Path) -> AsyncIterator[Server]:
    """Serve the volumes of the recorded DVID."""
    for name, scales in recorded_volumes().items():
        write_labels(directory / name, *scales)
    types = {"segmentation_blk": "labelblk"}
    sections = [f'[repo]\nuuid = "{ROOT}"\nalias = "labels"\n']
    for name in recorded_volumes():
        sections.append(
            f'[store.{name}]\nengine = "ngprecomputed"\nref = "file://{directory}/{name}"\n'
            f'instance = "{name}"\nlabel_type = "{types.get(name, "labelmap")}"\n'
        )
    async with serving("\n".join(sections), directory) as server:
        yield server


def recorded_volumes() -> dict[str, list[LabelScale]]:
    """Return what the instances of the recorded DVID held, by name."""
    volume = recorded_labels.array("volume")
    pyramid = [
        LabelScale(volume, holes=[(0, 0, 1)]),
        LabelScale(recorded_labels.array("scale1")[:50, :65, :75], (16, 16, 16)),
        LabelScale(recorded_labels.array("scale2")[:25, :33, :38], (32, 32, 32)),
    ]
    stored = recorded_labels.stored_volume()
    return {
        "segmentation_noindex": pyramid,
        "segmentation_blk": pyramid,
        "wide": [LabelScale(recorded_labels.array("wide"))],
        "aniso": [LabelScale(volume[:64, :64, :128], (4, 4, 40))],
        "negative_noindex": [LabelScale(stored[:64, :128, :128], offset=(-64, -128, 0))],
    }


def same(recorded: Answer, body: bytes) -> bool:
    """Return whether *body* says what DVID said."""
    endpoint, *_ = urlsplit(recorded.path).path.split("/")
    query = {key: values[0] for key, values in parse_qs(urlsplit(recorded.path).query).items()}
    if recorded.status != 200 or body == recorded.body:
        return body == recorded.body
    if endpoint in {"specificblocks", "blocks"}:
        default = "blocks" if endpoint == "specificblocks" else "lz4"
        frames = [_frames(data, query.get("compression", default)) for data in (recorded.body, body)]
        if recorded.varies or endpoint == "blocks":
            frames = [sorted(stream, key=lambda frame: frame[0]) for stream in frames]
        return frames[0] == frames[1]
    if recorded.content_type.startswith("image/"):
        theirs, ours = (_pixels(data, recorded.content_type) for data in (recorded.body, body))
        if theirs.shape!=ours.shape: print(theirs.shape, ours.shape); return False
        if recorded.content_type == "image/jpeg": print('jpeg', np.abs(theirs.astype(float) - ours).max(), np.abs(theirs.astype(float) - ours).mean(), theirs.dtype, ours.dtype)
        tolerance = 3 if recorded.content_type == "image/jpeg" else 0
        return bool(np.abs(theirs.astype(float) - ours).max() <= tolerance)
    if endpoint in {"raw", "isotropic"}:
        size = recorded.path.split("/")[2].split("_")
        theirs, ours = (_voxels(data, query.get("compression", ""), [int(n) for n in size]) for data in (recorded.body, body))
        return bool((theirs == ours).all())
    return False


def _frames(stream: bytes, compression: str) -> list[tuple[tuple[int, int, int], bytes]]:
    return [(block, _block(payload, compression)) for block, payload in parse_stream(stream)]


def _block(payload: bytes, compression: str) -> bytes:
    match compression:
        case "blocks":
            return read_labels_block(gzip.decompress(payload)).tobytes()
        case "lz4":
            return bytes(lz4.block.decompress(payload, BLOCK_NBYTES))
        case "gzip":
            return gzip.decompress(payload)
        case _:
            return payload


def _voxels(body: bytes, compression: str, size: list[int]) -> NDArray[np.uint64]:
    match compression:
        case "lz4":
            body = lz4.block.decompress(body, size[0] * size[1] * size[2] * 8)
        case "gzip":
            body = gzip.decompress(body)
        case "google" | "googlegzip":
            body = gzip.decompress(body) if compression == "googlegzip" else body
            return read_google(body, size)
    return np.frombuffer(body, "<u8")


def _pixels(data: bytes, content_type: str) -> NDArray[Any]:
    decode = {"image/png": imagecodecs.png_decode, "image/tiff": imagecodecs.tiff_decode, "image/jpeg": imagecodecs.jpeg_decode}
    return np.asarray(decode[content_type](data))
