"""Serve what the recorded DVID held, and compare answers by what they mean."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import imagecodecs
import numpy as np

from tests import recorded_labels
from tests.blockstream import XYZ, parse_stream
from tests.dvid.labelmap.differences import Difference
from tests.label_payloads import read_block, read_body
from tests.label_volumes import LabelScale, write_labels
from tests.recorded_labels import Answer
from tests.serving import Server, serving

ROOT = "5ca1ab1e0dd5400fbe5700d5e1f5eed5"


@asynccontextmanager
async def recorded_server(directory: Path) -> AsyncIterator[Server]:
    """Serve the volumes of the recorded DVID."""
    for name, scales in recorded_volumes().items():
        write_labels(directory / name, *scales)
    types = {"segmentation_blk": "labelblk"}
    sections = [f'[repo]\nuuid = "{ROOT}"\nalias = "labels"\n']
    sections += (
        f'[store.{name}]\nengine = "ngprecomputed"\nref = "file://{directory}/{name}"\n'
        f'instance = "{name}"\nlabel_type = "{types.get(name, "labelmap")}"\n'
        for name in recorded_volumes()
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


async def ask(server: Server, answer: Answer) -> Answer:
    """Return our answer to the same request."""
    path = f"/api/node/{ROOT}/{answer.instance}/{answer.path}"
    async with server.ask(answer.method, path, body=answer.request_body or None) as response:
        return answer._replace(
            status=response.status,
            body=await response.read(),
            content_type=response.headers.get("Content-Type", ""),
            content_encoding=response.headers.get("Content-Encoding", ""),
        )


async def unlike_dvid(
    server: Server,
    answers: Iterable[Answer],
    are_same: Callable[[Answer, Answer], bool],
    differences: Sequence[Difference],
) -> list[tuple[str, str, int, int, bytes]]:
    """Return the requests whose answers are neither the recorded ones nor as a listed difference says."""
    wrong = []
    for recorded in answers:
        ours = await ask(server, recorded)
        if are_same(recorded, ours):
            continue
        listed = [one for one in differences if one.covers(recorded)]
        if not listed or listed[0].status != ours.status or listed[0].says not in ours.body.decode("latin-1"):
            wrong.append((recorded.method, recorded.path, recorded.status, ours.status, ours.body[:200]))
    return wrong


def same(recorded: Answer, body: bytes) -> bool:
    """Return whether *body* says what DVID said.

    Blocks come in the order of the request, which DVID keeps by chance. Lossy images may differ a little.
    """
    endpoint, *parts = urlsplit(recorded.path).path.split("/")
    query = {key: values[0] for key, values in parse_qs(urlsplit(recorded.path).query).items()}
    if recorded.status != 200 or body == recorded.body:
        return said_by(body) == said_by(recorded.body)
    if endpoint in {"specificblocks", "blocks"}:
        default = "blocks" if endpoint == "specificblocks" else "lz4"
        theirs, ours = (
            sorted(_frames(data, query.get("compression", default))) for data in (recorded.body, body)
        )
        return theirs == ours
    if recorded.content_type.startswith("image/"):
        return _are_same_images(recorded.content_type, recorded.body, body)
    if endpoint in {"raw", "isotropic"}:
        x, y, z = (int(n) for n in parts[1].split("_"))
        theirs_zyx, ours_zyx = (
            read_body(data, query.get("compression", ""), (x, y, z)) for data in (recorded.body, body)
        )
        return np.array_equal(theirs_zyx, ours_zyx)
    return False


def said_by(refusal: bytes) -> bytes:
    """Return a refusal without the version's UUID and the address of the server's help."""
    return re.sub(rb"/api/node/\w{32}/", b"/api/node/", refusal).split(b"See API help at ")[0]


def _are_same_images(content_type: str, theirs: bytes, ours: bytes) -> bool:
    decode = {
        "image/png": imagecodecs.png_decode,
        "image/tiff": imagecodecs.tiff_decode,
        "image/jpeg": imagecodecs.jpeg_decode,
    }[content_type]
    first, second = (np.asarray(decode(data)).astype(float) for data in (theirs, ours))
    if first.shape != second.shape:
        return False
    return bool(np.abs(first - second).mean() <= (1.5 if content_type == "image/jpeg" else 0))


def _frames(stream: bytes, compression: str) -> list[tuple[XYZ, bytes]]:
    return [(block, read_block(payload, compression).tobytes()) for block, payload in parse_stream(stream)]
