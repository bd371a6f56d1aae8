"""Servers of one configuration agree on all that a client may compare, though none knows of the others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from yarl import URL

from tests.deploy.fleet import Fleet, fleet
from tests.segmentation import write_segmentation
from tests.synapses import write_lines
from tests.volumes import VolumeSpec, write_volume

NAMES = ["one", "two", "three"]
OF_ONE_ANSWER = {"date", "x-request-id"}
PATHS = [
    "/",
    "/api/repos/info",
    "/api/repo/:master/info",
    "/api/repo/:master/log",
    "/api/repo/:master/branch-versions/master",
    "/api/node/:master/commit",
    "/api/node/:master/log",
    "/api/openapi.json",
    "/api/help/labelmap",
    "/api/server/types",
    "/api/server/compiled-types",
    "/interface",
    "/nowhere",
    *(
        f"/api/node/:master/{call}"
        for call in (
            "em/info",
            "em/metadata",
            "em_1/info",
            "em/help",
            "em/nothing",
            "nothing/info",
            "em/specificblocks?blocks=1,0,1,0,0,0,5,5,5",
            "em/specificblocks?blocks=1,0",
            "em/subvolblocks/64_64_64/64_64_0?app=Neuroglancer",
            "em/raw/0_1_2/50_60_70/3_4_5",
            "em/raw/xz/100_50/3_4_5/png",
            "em/isotropic/xy/100_50/3_4_5/jpg:80",
            "em/tile/xy/0/0_0_5",
            "em/rawkey?x=1&y=0&z=0",
            "seg/info",
            "seg/specificblocks?blocks=0,0,0",
            "seg/raw/0_1_2/64_64_64/0_0_0?compression=googlegzip",
            "seg/label/10_10_10",
            "syn/info",
            "syn/elements/512_512_512/0_0_0",
            "syn/all-elements",
        )
    ),
]

Answers = dict[str, tuple[int, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("stores")
    write_volume(directory / "em", VolumeSpec(encoding="jpeg", scale_levels=2))
    write_segmentation(directory / "seg", [np.full((128, 256, 320), 5, np.uint64)])
    write_lines(directory / "syn")
    return "".join(
        f'[store.{name}]\nengine = "ngprecomputed"\ninstance = "{name}"\nref = "file://{directory}/{name}"\n'
        for name in ("seg", "syn", "em")
    )


async def answers_of(url: str) -> Answers:
    """Return what a server says to every path of PATHS."""
    found: Answers = {}
    async with aiohttp.ClientSession() as session:
        for path in PATHS:
            async with session.get(URL(f"{url}{path}", encoded=True)) as answer:
                headers = {key.lower(): text for key, text in answer.headers.items()}
                shown = {key: text for key, text in headers.items() if key not in OF_ONE_ANSWER}
                found[path] = (answer.status, shown, await answer.read())
    return found


@pytest.fixture
async def servers(tmp_path: Path, config: str) -> AsyncIterator[Fleet]:
    async with fleet(tmp_path, NAMES, config) as made:
        for name in NAMES:
            await made.start(name)
        yield made


async def test_three_servers_give_the_same_answers_headers_and_etags(servers: Fleet) -> None:
    expected = await answers_of(servers.url("one"))
    etags = [headers.get("etag") for _, headers, _ in expected.values()]
    assert sum(etag is not None for etag in etags) > 20
    assert {status for status, _, _ in expected.values()} == {200, 400, 404}
    for name in ("two", "three"):
        found = await answers_of(servers.url(name))
        assert {path: found[path] for path in PATHS if found[path] != expected[path]} == {}


async def test_what_one_server_sent_is_unchanged_for_another(servers: Fleet) -> None:
    sent = await answers_of(servers.url("one"))
    async with aiohttp.ClientSession() as session:
        for path, (_, headers, _) in sent.items():
            if "etag" in headers:
                url = URL(f"{servers.url('two')}{path}", encoded=True)
                async with session.get(url, headers={"If-None-Match": headers["etag"]}) as answer:
                    assert (answer.status, await answer.read()) == (304, b""), path


async def test_answers_are_the_same_after_a_restart(servers: Fleet) -> None:
    before = await answers_of(servers.url("one"))
    await servers.stop("one")
    await asyncio.sleep(1)  # times in documents have whole seconds
    await servers.start("one")
    assert await answers_of(servers.url("one")) == before
