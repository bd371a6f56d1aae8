"""The recorded answers of a DVID labelmap, and a decoder of labels.Block that shares no code with ours."""

import gzip
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent / "recorded" / "labelmap"

Voxels = NDArray[np.uint64]


class Answer(NamedTuple):
    """A recorded request and its answer."""

    instance: str
    path: str
    """What follows the instance's name, with the query."""
    request_body: bytes
    status: int
    body: bytes
    method: str
    content_type: str
    content_encoding: str
    varies: str
    """How the answer differed in a second run; empty if it did not."""

    @property
    def error(self) -> str:
        """The text of a refusal, without the request's path."""
        return self.body.decode().split(" (/api/")[0]


@cache
def answers() -> tuple[Answer, ...]:
    """Return all recorded answers."""
    return tuple(_answer(entry) for entry in json.loads((HERE / "index.json").read_text()))


@cache
def endpoint_answers() -> tuple[Answer, ...]:
    """Return the answers of the endpoints of voxels, of all instances without a label index."""
    more = json.loads((HERE / "voxel_endpoints.json").read_text())
    return (*answers(), *(_answer(entry) for entry in more))


@cache
def index_answers() -> tuple[Answer, ...]:
    """Return the answers of the endpoints that read the label index, of instances that have one."""
    return tuple(_answer(entry) for entry in json.loads((HERE / "label_index.json").read_text()))


def find(instance: str, start: str, status: int = 200) -> list[Answer]:
    """Return the answers of an instance whose path begins with *start*."""
    return [a for a in answers() if (a.instance, a.status) == (instance, status) and a.path.startswith(start)]


@cache
def array(name: str) -> Voxels:
    """Return volume, wide, scale1 or scale2 as `[z, y, x]`."""
    with gzip.open(HERE / f"{name}.npy.gz") as file:
        voxels: Voxels = np.load(file)
    voxels.flags.writeable = False
    return voxels


@cache
def stored_volume() -> Voxels:
    """Return what `segmentation` holds: the volume padded to whole blocks, with one block missing."""
    padded = np.zeros((128, 192, 192), np.uint64)
    padded[:100, :130, :150] = array("volume")
    padded[64:, :64, :64] = 0
    padded.flags.writeable = False
    return padded


def split_frames(stream: bytes) -> dict[tuple[int, int, int], bytes]:
    """Return the payloads of a block stream by block."""
    payloads, at = {}, 0
    while at < len(stream):
        x, y, z, size = struct.unpack_from("<4i", stream, at)
        payloads[x, y, z] = stream[at + 16 : at + 16 + size]
        at += 16 + size
    return payloads


def read_labels_block(data: bytes) -> Voxels:
    """Decode a labels.Block one sub-block at a time."""
    gx, gy, gz, n = struct.unpack_from("<4I", data)
    labels = np.frombuffer(data, "<u8", n, 16)
    if n == 1:
        assert len(data) == 24
        return np.full((gz * 8, gy * 8, gx * 8), labels[0])
    at, subs = 16 + 8 * n, gx * gy * gz
    counts = np.frombuffer(data, "<u2", subs, at).astype(int)
    at += 2 * subs
    picks = np.frombuffer(data, "<u4", counts.sum(), at)
    at += 4 * len(picks)
    out, used = np.zeros((gz * 8, gy * 8, gx * 8), np.uint64), 0
    for s, k in enumerate(counts):
        z, rest = divmod(s, gx * gy)
        y, x = divmod(rest, gx)
        mine, used = labels[picks[used : used + k]], used + k
        which = np.zeros(512, int)
        if k > 1:
            bits = int(k - 1).bit_length()
            raw = np.unpackbits(np.frombuffer(data, "u1", 64 * bits, at)).reshape(512, bits)
            at += 64 * bits
            which = raw @ (1 << np.arange(bits)[::-1])
        values = mine[which] if k else np.zeros(512, np.uint64)
        out[8 * z : 8 * z + 8, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = values.reshape(8, 8, 8)
    assert at == len(data)
    return out


def _answer(entry: dict[str, Any]) -> Answer:
    instance, _, path = str(entry["path"]).split("/", 4)[4].partition("/")
    headers = {str(name): str(value) for name, value in entry["headers"]}
    return Answer(
        instance,
        path,
        str(entry.get("request_body", "")).encode(),
        int(entry["status"]),
        _body(entry),
        str(entry["method"]),
        headers.get("Content-Type", ""),
        headers.get("Content-Encoding", ""),
        str(entry.get("varies", "")),
    )


def _body(entry: dict[str, Any]) -> bytes:
    name = entry.get("file")
    if name is None:
        return str(entry.get("text", "")).encode()
    body = (HERE / str(name)).read_bytes()
    return gzip.decompress(body) if name.endswith(".gz") else body
