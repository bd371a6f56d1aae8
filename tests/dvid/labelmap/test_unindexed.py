"""What nothing is known about is refused, and what never happened is empty; a bad scale is refused too."""

import json
from pathlib import Path

import numpy as np
import pytest

from dvidpc.dvid.labelmap.endpoints import INDEXED, REFUSED
from tests.dvid.labelmap.served import serving_labels
from tests.label_volumes import LabelScale
from tests.serving import UUID

LABELS = LabelScale(np.full((9, 9, 9), 5, np.uint64))
EMPTY = {
    "mappings": b"",
    "mappings?format=binary": b"",
    "supervoxel-splits": b"[]",
    "mutations": b"[]",
    f"mutations-range/{UUID}/{UUID}": b"[]",
    f"history/5/{UUID}/:master": b"",
}
EXTENTS = {
    "existing-labels",
    "index/5",
    "indices",
    "lastmod/5",
    "listlabels?start=0&number=9",
    "maxlabel",
    "nextlabel",
    "proximity/5/6",
    "size/5",
    "sizes",
    "sparsevol/5?format=rles&scale=0",
    "sparsevol-by-point/1_1_1",
    "sparsevol-coarse/5",
    "sparsevol-size/5",
    "sparsevols-coarse/1/9",
    "supervoxel-sizes/5",
    "supervoxels/5",
}


async def test_what_was_never_changed_has_an_empty_history(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LABELS) as server:
        for path, body in EMPTY.items():
            assert await server.get(f"{server.node}/seg/{path}") == body, path
        for path in ("mutations-range/1234/:master", f"history/5/{UUID}/1234"):
            status, _ = await server.error(f"{server.node}/seg/{path}")
            assert status == 400, path


async def test_what_needs_an_index_is_refused_and_never_empty(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LABELS) as server:
        for path in {*EXTENTS, *INDEXED, *REFUSED}:
            endpoint = path.partition("/")[0].partition("?")[0]
            status, text = await server.error(f"{server.node}/seg/{path}")
            assert status == 400
            reason = f'data "seg" is not label indexed (IndexedLabels=false): "{endpoint}" endpoint'
            assert text.startswith(f"{reason} is not supported"), path
            async with server.ask("HEAD", f"{server.node}/seg/{path}") as response:
                assert (response.status, await response.read()) == (400, b""), path
        info = json.loads(await server.get(f"{server.node}/seg/info"))["Extended"]
        assert (info["IndexedLabels"], info["MaxLabel"]) == (False, {})


@pytest.mark.parametrize("scale", ["2", "-1", "256", "4294967296", "x", "1.0"])
async def test_a_scale_that_does_not_exist_is_refused(scale: str, tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LABELS) as server:
        for path in (
            "specificblocks?blocks=0,0,0",
            "blocks/64_64_64/0_0_0?",
            "raw/0_1_2/8_8_8/0_0_0?",
            "raw/xy/8_8/0_0_0?",
            "label/1_1_1?",
            "labels?",
        ):
            async with server.ask("GET", f"{server.node}/seg/{path}&scale={scale}", body=b"[[1,1,1]]") as got:
                assert got.status == 400, path
                text = await got.text()
                assert "its MaxDownresLevel is 1" in text or text.startswith("bad scale specified: ")
