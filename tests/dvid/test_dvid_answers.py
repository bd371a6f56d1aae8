"""This server gives the recorded answers of a real DVID, request by request.

The configuration is that of DVID's README. The volumes are in S3 (moto), with credentials from a dotfile.
`recorded/dvid/PROVENANCE.md` says what is recorded and what `exact`, `shape` and `improve` mean.
"""

import base64
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import pytest_asyncio
import simplejpeg
import tensorstore as ts
from yarl import URL

from tests.blockstream import grey_block, parse_stream, raw_block
from tests.servers import S3Server, run_s3_server
from tests.serving import UUID, Server, serving
from tests.volumes import expected_box

DATA = Path(__file__).parents[1] / "recorded" / "dvid"
CASES: list[dict[str, Any]] = json.loads((DATA / "responses.json").read_text())["cases"]
VOLUMES = {"sample1": "sample1/image_aligned", "jun": "jun", "raw1": "raw1"}

# The first part is from DVID's README, except for ref and endpoint.
CONFIG = """
[server]
httpAddress = "localhost:8000"
rpcAddress = "localhost:8001"
webClient = "/path/to/dvid-webclient"
note = "a note"

[logging]
logfile = "/path/to/dvid.log"
max_log_size = 500
max_log_age = 30

[backend.default]
store = "mainstore"
log = "mutationlog"

[store.mainstore]
engine = "basholeveldb"
path = "/path/to/db"

[store.mutationlog]
engine = "filelog"
path = "/path/to/log"

[store.mystorage]
engine = "ngprecomputed"
ref = "s3://mybucket/sample1/image_aligned/"
instance = "sample1"
endpoint = "{endpoint}"

[store.jun]
engine = "ngprecomputed"
ref = "s3://mybucket/jun"
instance = "jun"
endpoint = "{endpoint}"

[store.rawstore]
engine = "ngprecomputed"
ref = "s3://mybucket/raw1"
instance = "raw1"
endpoint = "{endpoint}"

[repo]
uuid = "{uuid}"
alias = "em"
description = "EM volumes"
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with run_s3_server() as server:
        server.make_bucket("mybucket")
        for file in (DATA / "volumes").rglob("*"):
            if file.is_file():
                server.put("mybucket", str(file.relative_to(DATA / "volumes")), file.read_bytes())
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    home = tmp_path_factory.mktemp("home")
    (home / "credentials").write_text(
        "[default]\naws_access_key_id = AKIDTEST\naws_secret_access_key = secret\n"
    )
    (home / "config").write_text("[default]\nregion = us-east-1\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
        patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        async with serving(CONFIG.format(endpoint=s3.url, uuid=UUID), home) as running:
            yield running


def cases(match: str) -> list[Any]:
    return [
        pytest.param(case, id=f"{case['method']} {case['path'].replace(UUID, 'U')}")
        for case in CASES
        if case["match"] == match
    ]


def recorded_body(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["body_b64"]) if "body_b64" in case else case["body"].encode()


async def ask(server: Server, case: dict[str, Any]) -> bytes:
    url = URL(f"{server.url}{case['path']}", encoded=True)
    async with server.session.request(case["method"], url) as response:
        body = await response.read()
        assert response.status == case["status"], body[:300]
        for name, value in case["headers"].items():
            assert response.headers.get(name) == value
        return body


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("case", cases("exact"))
async def test_answers_equal_dvids_to_the_byte(server: Server, case: dict[str, Any]) -> None:
    assert await ask(server, case) == recorded_body(case)


@pytest.mark.parametrize(
    "case", [case for case in cases("shape") if case.values[0].get("body", "")[:1] in ("{", "[")]
)
async def test_answers_have_dvids_keys_and_types(server: Server, case: dict[str, Any]) -> None:
    ours, theirs = json.loads(await ask(server, case)), json.loads(recorded_body(case))
    if case["path"] == "/api/server/compiled-types":
        theirs.pop("roi")  # a data type that this server does not have
        names = ("annotation", "keyvalue", "labelblk", "labelmap", "labelsz", "neuronjson")
        built_without = dict.fromkeys(names, "")
        theirs = dict(sorted({**theirs, **built_without}.items()))
    assert_same_shape(ours, theirs, "")


def assert_same_shape(ours: Any, theirs: Any, where: str) -> None:  # noqa: ANN401 - JSON
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), where
        for key in theirs:
            assert_same_shape(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), where
        assert len(ours) == len(theirs), where
        for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same_shape(a, b, f"{where}[{number}]")
    else:
        numbers = (int, float)
        assert type(ours) is type(theirs) or (type(ours) in numbers and type(theirs) in numbers), where


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sample1/subvolblocks/64_64/0_0", "Offset must be 3d coordinate, not 2-d coordinate ({path}).\n"),
        ("sample1/bogus", 'Bad API call ({path}) for data "sample1".  See API help at http://'),
    ],
)
async def test_errors_have_dvids_words(server: Server, path: str, text: str) -> None:
    status, body = await server.error(f"{server.node}/{path}")
    assert status == 400
    assert body.startswith(text.format(path=f"{server.node}/{path}"))


async def test_an_unknown_path_is_404(server: Server) -> None:
    assert await server.error("/api/bogus") == (404, "404 page not found\n")


def case_of(path: str) -> dict[str, Any]:
    [case] = [
        case for case in CASES if case["method"] == "GET" and case["path"] == f"/api/node/{UUID}/{path}"
    ]
    return case


async def test_uncompressed_blocks_differ_by_no_more_than_the_decoder(server: Server) -> None:
    case = case_of("sample1/specificblocks?blocks=0,0,0&compression=uncompressed")
    [(ours_at, ours)], [(theirs_at, theirs)] = (
        parse_stream(body) for body in (await ask(server, case), recorded_body(case))
    )
    assert ours_at == theirs_at
    assert np.abs(raw_block(ours).astype(int) - raw_block(theirs)).max() <= 1


async def test_a_subvolume_is_the_same_set_of_blocks(server: Server) -> None:
    case = case_of("sample1/subvolblocks/128_128_64/0_0_0")
    ours, theirs = await ask(server, case), recorded_body(case)
    assert sorted(parse_stream(ours)) == sorted(parse_stream(theirs))


async def test_a_span_of_blocks_differs_by_no_more_than_the_decoder(server: Server) -> None:
    case = case_of("sample1/blocks/0_0_0/2")
    ours, theirs = (np.frombuffer(body, np.uint8) for body in (await ask(server, case), recorded_body(case)))
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def truth_of(volume: str, level: int = 0) -> np.ndarray[Any, Any]:
    path = DATA / "volumes" / VOLUMES[volume]
    store = ts.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{path}/"},
            "scale_index": level,
        }
    ).result()
    return np.asarray(store.read().result())


@pytest.mark.parametrize(
    ("path", "level", "block"),
    [
        ("sample1/specificblocks?blocks=2,2,1", 0, (2, 2, 1)),
        ("sample1_1/specificblocks?blocks=0,0,0", 1, (0, 0, 0)),
    ],
)
async def test_an_edge_block_is_right_where_dvid_shears_it(
    server: Server, path: str, level: int, block: tuple[int, int, int]
) -> None:
    [(at, payload)] = parse_stream(await ask(server, case_of(path)))
    assert at == block
    height, width, colorspace, _ = simplejpeg.decode_jpeg_header(payload)
    assert (width, height, colorspace) == (64, 4096, "Gray")
    start = (block[0] * 64, block[1] * 64, block[2] * 64)
    expected = expected_box(truth_of("sample1", level), (0, 0, 0), start, (64, 64, 64))[..., 0]
    difference = np.abs(grey_block(payload).astype(int) - expected)
    assert difference.mean() < 1.5
    theirs = grey_block(parse_stream(recorded_body(case_of(path)))[0][1]).astype(int)
    assert difference.mean() <= np.abs(theirs - expected).mean() + 0.05


async def test_a_negative_block_is_absent_where_dvid_serves_another(server: Server) -> None:
    assert await ask(server, case_of("sample1/specificblocks?blocks=-1,0,0")) == b""


async def test_a_coordinate_beyond_32_bits_is_refused_where_dvid_wraps_it(server: Server) -> None:
    status, text = await server.error(f"{server.node}/sample1/specificblocks?blocks=4294967296,0,0")
    assert status == 400
    assert 'parsing "4294967296": value out of range' in text


async def test_a_slice_is_served_where_dvid_refuses(server: Server) -> None:
    body = await server.get(case_of("sample1/raw/0_1/64_64/0_0_0")["path"])
    expected = truth_of("sample1")[:64, :64, 0, 0].T
    assert np.abs(imagecodecs.png_decode(body).astype(int) - expected).max() <= 1


async def test_a_plane_shows_voxels_where_dvid_answers_black(server: Server) -> None:
    case = case_of("sample1/arb/0_0_0/100_0_0/0_100_0/8")
    ours, theirs = (imagecodecs.png_decode(body) for body in (await ask(server, case), recorded_body(case)))
    assert ours.shape == theirs.shape
    assert not theirs.any()
    # The corners are 100 nm apart, 12 pixels of a little more than a voxel between them.
    voxels = truth_of("sample1")[:14, :14, 0, 0].T.astype(float)
    places = np.linspace(0, 12.5, 13)
    below = places.astype(int)
    part = places - below
    rows = voxels[below] * (1 - part)[:, None] + voxels[below + 1] * part[:, None]
    expected = rows[:, below] * (1 - part) + rows[:, below + 1] * part
    assert np.abs(ours - expected).max() <= 1.5


async def test_rawkey_answers_where_dvid_does_not(server: Server) -> None:
    case = case_of("sample1/rawkey?x=0&y=0&z=0")
    assert recorded_body(case) == b""
    [chunk] = json.loads(await ask(server, case))["Chunks"]
    assert chunk["Object"] == "s3://mybucket/sample1/image_aligned/8_8_8/0.shard"
    [(_, stored)] = parse_stream(await server.get(f"{server.node}/sample1/specificblocks?blocks=0,0,0"))
    shard = (DATA / "volumes/sample1/image_aligned/8_8_8/0.shard").read_bytes()
    assert chunk["DataEncoding"] == "gzip"
    assert gzip.decompress(shard[chunk["Offset"] :][: chunk["Size"]]) == stored


async def test_head_and_options_work_on_an_instance(server: Server) -> None:
    url = f"{server.url}{server.node}/sample1/info"
    async with server.session.head(url) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 500
    async with server.session.options(url) as response:
        assert response.status == 200
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_the_node_is_locked_and_extents_are_inclusive(server: Server) -> None:
    assert json.loads(await server.get(f"{server.node}/commit")) == {"Locked": True}
    info = json.loads(await server.get(f"{server.node}/sample1/info"))
    assert info["Extended"]["MaxPoint"] == [149, 129, 99]
    assert info["Extended"]["MaxIndex"] == [2, 2, 1]
    metadata = json.loads(await server.get(f"{server.node}/sample1/metadata"))
    assert [axis["Size"] for axis in metadata["Axes"]] == [150, 130, 100]
