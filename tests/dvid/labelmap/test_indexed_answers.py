"""A labelmap with a label index gives the recorded answers of a real DVID, request by request."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import imagecodecs
import numpy as np
import pytest
import pytest_asyncio

from tests import recorded_labels
from tests.dvid.labelmap.indexed import serving_recorded
from tests.dvid.labelmap.indexed_differences import INDEX_DIFFERENCES
from tests.dvid.labelmap.replay import ask, said_by, unlike_dvid
from tests.label_messages import read_label_index, read_label_indices
from tests.recorded_labels import Answer
from tests.serving import Server
from tests.sparse_volumes import read_runs

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORDED = recorded_labels.index_answers()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving_recorded(tmp_path_factory.mktemp("recorded")) as running:
        yield running


def are_same(recorded: Answer, ours: Answer) -> bool:
    """Return whether *ours* is what DVID answered: byte for byte, but where its own answers vary."""
    heads = [(a.status, a.content_type, a.content_encoding) for a in (recorded, ours)]
    if heads[0] != heads[1]:
        return False
    if recorded.status != 200 or recorded.body == ours.body:
        return said_by(recorded.body) == said_by(ours.body)
    query = {key: values[0] for key, values in parse_qs(urlsplit(recorded.path).query).items()}
    compression = query.get("compression", "")
    if recorded.varies or compression == "gzip":
        return content_of(recorded, query, compression) == content_of(ours, query, compression)
    return False


def content_of(answer: Answer, query: dict[str, str], compression: str) -> object:
    """Return what an answer says, whatever the order in which DVID's maps were walked."""
    endpoint = answer.path.partition("/")[0]
    if endpoint == "index":
        return read_label_index(answer.body)
    if endpoint == "indices":
        return list(read_label_indices(answer.body))
    if endpoint == "indices-compressed":
        return read_compressed(answer.body)
    if query.get("format") == "srles":
        runs = np.frombuffer(answer.body, "<i4").reshape(-1, 4)
    else:
        body: bytes | bytearray = answer.body
        if compression == "gzip":
            body = imagecodecs.gzip_decode(body)
        if compression == "lz4":
            body = imagecodecs.lz4_decode(body, out=2**20, header=False)
        runs = read_runs(bytes(body))
    return sorted(map(tuple, runs.tolist()))


def read_compressed(body: bytes) -> list[object]:
    messages: list[object] = []
    at = 0
    while at < len(body):
        size, label = np.frombuffer(body, "<u8", 2, at).tolist()
        at += 16
        if size:
            assert body[at] == 0x80
            (length,) = np.frombuffer(body, "<u4", 1, at + 1).tolist()
            message = imagecodecs.lz4_decode(body[at + 5 : at + size], out=length, header=False)
            messages.append((label, read_label_index(bytes(message))))
        else:
            messages.append((label, None))
        at += size
    assert at == len(body)
    return messages


@pytest.mark.parametrize("topic", sorted({a.path.partition("/")[0].partition("?")[0] for a in RECORDED}))
async def test_answers_are_those_of_dvid_or_a_listed_difference(server: Server, topic: str) -> None:
    answers = [
        recorded for recorded in RECORDED if recorded.path.partition("/")[0].partition("?")[0] == topic
    ]
    assert await unlike_dvid(server, answers, are_same, INDEX_DIFFERENCES) == []


async def test_every_listed_difference_is_one(server: Server) -> None:
    for difference in INDEX_DIFFERENCES:
        covered = [a for a in RECORDED if difference.covers(a)]
        assert any([not are_same(a, await ask(server, a)) for a in covered]), difference


async def test_most_answers_are_equal_to_the_byte(server: Server) -> None:
    fixed = [a for a in RECORDED if not a.varies]
    equal = [a for a in fixed if said_by((await ask(server, a)).body) == said_by(a.body)]
    assert len(equal) >= len(fixed) - 15
