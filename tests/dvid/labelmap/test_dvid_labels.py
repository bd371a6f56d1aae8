"""This server gives the recorded answers of a real DVID labelmap and labelblk, request by request."""

import json
from collections.abc import AsyncIterator

import imagecodecs
import numpy as np
import pytest
import pytest_asyncio

from tests import recorded_labels
from tests.dvid.labelmap.differences import DIFFERENCES
from tests.dvid.labelmap.replay import ROOT, ask, recorded_server, recorded_volumes, same, unlike_dvid
from tests.recorded_labels import Answer, endpoint_answers
from tests.serving import Server

REPLAYED = [answer for answer in endpoint_answers() if answer.instance in recorded_volumes()]

SERVER_OWN = {"DataUUID", "KVStore", "LogStore", "GridStore", "RepoUUID"}
"""Members that name a server's own things."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with recorded_server(tmp_path_factory.mktemp("recorded")) as running:
        yield running


def are_same(recorded: Answer, ours: Answer) -> bool:
    """Return whether *ours* is what DVID answered."""
    heads = [(a.status, a.content_type, a.content_encoding) for a in (recorded, ours)]
    return heads[0] == heads[1] and same(recorded, ours.body)


@pytest.mark.parametrize(
    "topic", sorted({f"{a.instance}/{a.path.split('/')[0].split('?')[0]}" for a in REPLAYED})
)
async def test_answers_are_those_of_dvid_or_a_listed_difference(server: Server, topic: str) -> None:
    answers = [
        recorded
        for recorded in REPLAYED
        if f"{recorded.instance}/{recorded.path.split('/')[0].split('?')[0]}" == topic
    ]
    assert await unlike_dvid(server, answers, are_same, DIFFERENCES) == []


async def test_every_listed_difference_is_one(server: Server) -> None:
    for difference in DIFFERENCES:
        covered = [a for a in REPLAYED if difference.covers(a)]
        assert any([not are_same(a, await ask(server, a)) for a in covered]), difference


async def test_info_has_dvids_keys_and_differs_only_where_it_should(server: Server) -> None:
    for name, expected in (
        ("segmentation_noindex", {"MaxPoint", "MaxLabel", "MaxRepoLabel"}),
        ("segmentation_blk", {"MaxPoint", "BlockSize", "MinIndex", "MaxIndex"}),
        ("negative_noindex", set()),
    ):
        [recorded] = {a for a in REPLAYED if a.instance == name and a.path == "info"}
        theirs, ours = json.loads(recorded.body), json.loads((await ask(server, recorded)).body)
        own = {key for key in theirs["Base"] if ours["Base"][key] != theirs["Base"][key]}
        assert own <= SERVER_OWN
        assert list(ours["Base"]) == list(theirs["Base"])
        assert list(ours["Extended"]) == list(theirs["Extended"])
        changed = {key for key, value in theirs["Extended"].items() if ours["Extended"][key] != value}
        assert changed - SERVER_OWN == expected


async def test_isotropic_slices_hold_the_nearest_labels(server: Server) -> None:
    labels = recorded_labels.array("volume")
    rows = (2 * np.arange(64) + 1) * 6 // 128
    for path, expected in (
        ("xz/64_64/0_30_0", labels[rows, 30, :64]),
        ("yz/64_64/70_0_0", labels[rows, :64, 70]),
    ):
        body = await server.get(f"/api/node/{ROOT}/aniso/isotropic/{path}")
        pixels = imagecodecs.png_decode(body).astype(">u2", order="C")
        assert (pixels.view("<u8")[..., 0] == expected).all()


async def test_labels_at_negative_positions_are_those_of_the_volume(server: Server) -> None:
    stored = recorded_labels.stored_volume()
    positions = [(-53, -98, 20), (-1, -1, -1), (-1, -1, 0), (-64, -128, 0), (-65, 0, 0), (63, -1, 63)]
    expected = [int(stored[z, y + 128, x + 64]) if x >= -64 and z >= 0 else 0 for x, y, z in positions]
    node = f"/api/node/{ROOT}/negative_noindex"
    async with server.ask("GET", f"{node}/labels", body=json.dumps(positions).encode()) as response:
        assert await response.json() == expected
    for (x, y, z), label in zip(positions, expected, strict=True):
        assert await server.get(f"{node}/label/{x}_{y}_{z}") == b'{"Label": %d}' % label
