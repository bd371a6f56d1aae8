"""Requests of labels on the wire: bodies of GETs, content encodings, limits, names and exact ids."""

import gzip
import hashlib
import io
import json
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.blockstream import parse_stream
from tests.dvid.labelmap.served import serving_labels
from tests.label_chunks import EIGHT, LARGE_LABELS, draw_cells
from tests.label_payloads import read_block
from tests.label_volumes import LabelScale, cut
from tests.rawhttp import exchange
from tests.serving import UUID, config_text, serving

CELLS = draw_cells(40, EIGHT._replace(x=128, y=64, z=64))
SMALL = LabelScale(np.array(LARGE_LABELS, np.uint64).reshape(1, 1, 3))
TWO_BLOCKS = "specificblocks?blocks=0,0,0,1,0,0"
POINTS = b"[[0,0,0],[1,0,0],[2,0,0],[3,0,0]]"
FOUND = b"[9007199254740993,9223372036854775815,18446744073709551615,0]"


async def test_large_ids_are_exact_in_every_text(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, SMALL) as server:
        node = f"{server.node}/seg"
        for x, label in enumerate(LARGE_LABELS):
            assert await server.get(f"{node}/label/{x}_0_0") == b'{"Label": %d}' % label
        for endpoint, body in (("labels", POINTS), ("mapping", FOUND)):
            digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
            for query in ("", f"?hash={digest}", "?supervoxels=true"):
                async with server.ask("GET", f"{node}/{endpoint}{query}", body=body) as response:
                    assert (response.status, await response.read()) == (200, FOUND)
                    assert response.headers["Cache-Control"] == "no-store"
                    assert "ETag" not in response.headers


async def test_a_body_may_come_in_pieces_or_after_100_continue(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, SMALL) as server:
        head = f"GET {server.node}/seg/labels HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (POINTS[:7], POINTS[7:], b""))
        chunked = await exchange(server.url, head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces)
        assert (chunked.status, chunked.body) == (200, FOUND)
        asked = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(POINTS)
        patient = await exchange(server.url, head + asked + POINTS)
        assert patient.status == 100
        assert patient.body.endswith(FOUND)


@pytest.mark.parametrize(
    ("endpoint", "body", "text"),
    [
        ("labels", b"[[1,2,3]", "Bad labels request JSON: unexpected end of JSON input"),
        ("labels", b"[[1,2,1e400]]", "Bad labels request JSON: "),
        ("labels", b"[[1,2,3.5]]", "json: cannot unmarshal number 3.5"),
        ("labels", b"\xff\xfe", "Bad labels request JSON: "),
        ("labels", b"[" * 100_000, "Bad labels request JSON: "),
        ("mapping", b"[18446744073709551616]", "json: cannot unmarshal number 18446744073709551616"),
        ("mapping", b"[-1]", "Bad mapping request JSON: "),
        ("mapping", b'{"a": 1}', "json: cannot unmarshal object"),
        ("mapping", b"", "Bad mapping request JSON: unexpected end of JSON input"),
    ],
)
async def test_a_malformed_body_is_refused(endpoint: str, body: bytes, text: str, tmp_path: Path) -> None:
    async with (
        serving_labels(tmp_path, SMALL) as server,
        server.ask("GET", f"{server.node}/seg/{endpoint}", body=body) as response,
    ):
        assert response.status == 400
        assert text in await response.text()


@pytest.mark.parametrize("endpoint", ["labels", "mapping"])
async def test_a_body_that_is_too_large_is_413(endpoint: str, tmp_path: Path) -> None:
    async with serving_labels(tmp_path, SMALL) as server:
        url = f"{server.url}{server.node}/seg/{endpoint}"
        async with server.session.get(url, data=io.BytesIO(b"[" + b" " * 2**24 + b"]")) as response:
            assert response.status == 413
            assert "exceeds 16777216 bytes" in await response.text()


async def test_only_googlegzip_has_a_content_encoding(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LabelScale(CELLS)) as server:
        box = f"{server.node}/seg/raw/0_1_2/64_64_64"
        for place in ("0_0_0", "1_2_3", "640_0_0"):
            for name in ("", "lz4", "gzip", "google", "googlegzip"):
                for method in ("GET", "HEAD"):
                    async with server.ask(method, f"{box}/{place}?compression={name}") as response:
                        assert response.status == 200
                        encoding = response.headers.get("Content-Encoding")
                        assert encoding == ("gzip" if name == "googlegzip" else None)
                        assert response.headers["Content-Type"] == "application/octet-stream"


async def test_a_browser_revalidates_a_gzipped_answer(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, LabelScale(CELLS)) as server:
        path = f"{server.node}/seg/raw/0_1_2/64_64_64/0_0_0?compression=googlegzip"
        browser = {"User-Agent": "Mozilla/5.0", "Accept-Encoding": "gzip, deflate, br"}
        async with server.ask("GET", path, browser) as response:
            body, etag = await response.read(), response.headers["ETag"]
            assert response.headers["Cache-Control"] == "max-age=60, stale-while-revalidate=60"
            assert int(response.headers["Content-Length"]) == len(body)
            assert gzip.decompress(body)[:4] == b"\1\0\0\0"
        async with server.ask("GET", path, {**browser, "If-None-Match": etag}) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["ETag"] == etag
            assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("limits", "path", "body", "name"),
    [
        ("max_blocks = 1", TWO_BLOCKS, b"", "max_blocks"),
        ("max_blocks = 1", "blocks/128_64_64/0_0_0", b"", "max_blocks"),
        ("max_blocks = 1", "labels", b"[[0,0,0],[100,0,0]]", "max_blocks"),
        (
            "max_response = 3000000",
            f"{TWO_BLOCKS}&compression=uncompressed",
            b"",
            "max_response",
        ),
        ("max_response = 3000000", "blocks/128_64_64/0_0_0?compression=uncompressed", b"", "max_response"),
        ("max_response = 1000000", "raw/0_1_2/64_64_64/1_0_0?compression=lz4", b"", "max_response"),
        ("max_response = 1000000", "raw/0_1_2/64_64_64/1_0_0?compression=gzip", b"", "max_response"),
        ("max_response = 1000000", "raw/0_1_2/64_64_64/1_0_0?compression=google", b"", "max_response"),
        ("max_response = 1000000", "raw/0_1_2/64_64_64/1_0_0?compression=googlegzip", b"", "max_response"),
        ("max_response = 1000", "raw/xy/64_64/0_0_0", b"", "max_response"),
        ("max_response = 1000", "isotropic/xy/64_64/0_0_0", b"", "max_response"),
        ("max_response = 1000", "pseudocolor/xy/64_64/0_0_0", b"", "max_response"),
        ("max_cutout = 1000", "raw/0_1_2/64_64_64/0_0_0", b"", "max_cutout"),
        ("max_cutout = 1000", "raw/0_1_2/64_64_64/0_0_0?compression=googlegzip", b"", "max_cutout"),
        ("max_cutout = 1000", "raw/xz/64_64/0_0_0", b"", "max_cutout"),
        ("max_cutout = 1000", "pseudocolor/xz/64_64/0_0_0", b"", "max_cutout"),
        ("", "raw/0_1_2/2000000000_2000000000_2000000000/0_0_0", b"", "max_cutout"),
        ("", "blocks/2147483584_2147483584_64/0_0_0", b"", "max_blocks"),
    ],
)
async def test_requests_that_are_too_large_are_413(
    limits: str, path: str, body: bytes, name: str, tmp_path: Path
) -> None:
    async with (
        serving_labels(tmp_path, LabelScale(CELLS), more=f"[limits]\n{limits}\n") as server,
        server.ask("GET", f"{server.node}/seg/{path}", body=body or None) as response,
    ):
        assert response.status == 413
        assert name in await response.text()


async def test_a_hole_in_one_copy_is_read_from_the_next(tmp_path: Path) -> None:
    """A scale with several chunk_sizes."""
    async with serving_labels(tmp_path, LabelScale(CELLS)) as _:
        pass
    volume = tmp_path / "volume"
    flat = LabelScale(CELLS, chunk_size=(32, 64, 16))
    async with serving_labels(tmp_path / "flat", flat) as _:
        pass
    for file in (tmp_path / "flat" / "volume" / "s0").iterdir():
        file.rename(volume / "s0" / file.name)
    info = json.loads((volume / "info").read_text())
    info["scales"][0]["chunk_sizes"] = [[64, 64, 64], [32, 64, 16]]
    (volume / "info").write_text(json.dumps(info))
    (volume / "s0" / LabelScale(CELLS).chunk_name((0, 0, 0))).unlink()
    async with serving(config_text({"seg": volume}), tmp_path) as server:
        node = f"{server.node}/seg"
        for name in ("blocks", "lz4"):
            frames = parse_stream(await server.get(f"{node}/{TWO_BLOCKS}&compression={name}"))
            assert [block for block, _ in frames] == [(0, 0, 0), (1, 0, 0)]
            for (x, _, _), payload in frames:
                assert (read_block(payload, name) == CELLS[..., 64 * x : 64 * x + 64]).all()
        assert await server.get(f"{node}/raw/0_1_2/128_64_64/0_0_0") == CELLS.tobytes()
        for x, y, z in ((3, 4, 5), (70, 4, 50)):
            assert json.loads(await server.get(f"{node}/label/{x}_{y}_{z}")) == {"Label": int(CELLS[z, y, x])}


HALF = np.ascontiguousarray(CELLS[::2, ::2, ::2])
FLAT = np.ascontiguousarray(CELLS[:, ::2, ::2])


@pytest.mark.parametrize(
    ("label_type", "types"),
    [
        ("labelmap", {"seg": "labelmap"}),
        ("labelblk", {"seg": "labelblk", "seg_1": "labelblk"}),
        ("both", {"seg": "labelmap", "seg_blk": "labelblk", "seg_blk_1": "labelblk"}),
    ],
)
async def test_label_type_decides_which_instances_there_are(
    label_type: str, types: dict[str, str], tmp_path: Path
) -> None:
    scales = LabelScale(CELLS), LabelScale(HALF, (16, 16, 16))
    async with serving_labels(tmp_path, *scales, label_type=label_type) as server:
        repos = json.loads(await server.get("/api/repos/info"))
        instances = repos[UUID]["DataInstances"]
        assert {name: one["Base"]["TypeName"] for name, one in instances.items()} == types
        for name in types:
            scale = "" if name.endswith("_1") else "&scale=1"
            path = f"{server.node}/{name}/blocks/64_64_64/0_0_0?compression=lz4{scale}"
            [(_, payload)] = parse_stream(await server.get(path))
            assert (read_block(payload, "lz4") == cut(HALF, (0, 0, 0), (0, 0, 0), (64, 64, 64))).all()


async def test_an_anisotropic_pyramid_is_cut_short_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scales = LabelScale(CELLS, (8, 8, 40)), LabelScale(FLAT, (16, 16, 40))
    with caplog.at_level("WARNING"):
        async with serving_labels(tmp_path, *scales) as server:
            info = json.loads(await server.get(f"{server.node}/seg/info"))
            assert info["Extended"]["MaxDownresLevel"] == 1  # a scale made by DVID's rule
            status, text = await server.error(f"{server.node}/seg/label/0_0_0?scale=2")
            assert (status, "its MaxDownresLevel is 1" in text) == (400, True)
    assert "the labelmap ends before scale 1" in caplog.text


@pytest.mark.parametrize("data_type", ["int8", "int16", "int32"])
async def test_signed_labels_are_served_bit_for_bit(data_type: str, tmp_path: Path) -> None:
    bounds = np.iinfo(data_type)
    labels = np.array([-1, bounds.min, bounds.max, 1], data_type).reshape(1, 1, 4)
    expected = labels.view(f"u{labels.itemsize}").astype(np.uint64).reshape(-1)
    async with serving_labels(tmp_path, LabelScale(labels, encoding="raw")) as server:
        body = await server.get(f"{server.node}/seg/raw/0_1_2/4_1_1/0_0_0")
        assert (np.frombuffer(body, "<u8") == expected).all()
        for x, label in enumerate(expected.tolist()):
            assert await server.get(f"{server.node}/seg/label/{x}_0_0") == b'{"Label": %d}' % label


async def test_writes_are_refused_unread(tmp_path: Path) -> None:
    async with serving_labels(tmp_path, SMALL) as server:
        port = urlsplit(server.url).port
        assert port
        for path in ("blocks", "raw/0_1_2/64_64_64/0_0_0", "merge", "cleave/5", "labels"):
            head = (
                f"POST {server.node}/seg/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
            )
            asked = b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"
            answer = await exchange(server.url, head + asked)
            assert answer.status == 400
