"""The command as it is typed, in front of a bucket that counts; then its chunks are served from the disk."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.array_volumes import levels_of, tissue, write_ome_zarr
from tests.disk.sites import FAKETIME
from tests.faulty.bucket import BUCKET, FaultyBucket, faulty_bucket
from tests.faulty.faults import BROKEN, Fault
from tests.label_volumes import LabelScale, write_labels
from tests.programs import need
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, Voxels, sharding, write_volume
from tests.waiting import soon

PATIENCE_S = 60
METADATA = re.compile(r"(^|/)(info|zarr\.json|\.z(group|attrs|array|metadata)|attributes\.json)$")
LIMITS = (
    "[limits]\nbackoff_min = 0.001\nbackoff_max = 0.01\nattempts = 2\nretry_budget = 1\n"
    "first_byte_timeout = 5\nattempt_timeout = 10\n"
)


@dataclass(frozen=True)
class Volume:
    """A volume to prefetch."""

    kind: str
    """How the bucket is reached: `http` or `s3`."""
    engine: str
    truth: Mapping[str, Voxels]
    """The voxels `[z, y, x]` of each scale, by what is asked for: the instance and its query."""
    chunks: int


def image(directory: Path, kind: str, spec: VolumeSpec) -> Volume:
    truth = write_volume(directory, spec)
    voxels = {f"em_{n}" if n else "em": one[..., 0].transpose(2, 1, 0) for n, one in enumerate(truth)}
    chunks = sum(
        int(np.prod([-(-n // c) for n, c in zip(spec.scale_size(level), spec.chunk_size, strict=True)]))
        for level in range(spec.scale_levels)
    )
    return Volume(kind, "ngprecomputed", voxels, chunks)


def unsharded(directory: Path) -> Volume:
    return image(directory, "http", VolumeSpec(scale_levels=2))


def sharded(directory: Path) -> Volume:
    return image(directory, "s3", VolumeSpec(scale_levels=2, sharding=sharding()))


def zipped(directory: Path) -> Volume:
    """Shards with hashed ids and compressed chunks."""
    spec = VolumeSpec(sharding=sharding(hash="murmurhash3_x86_128", data_encoding="gzip"))
    return image(directory, "http", spec)


def segmentation(directory: Path) -> Volume:
    labels = np.random.default_rng(3).integers(1, 2**40, (13, 9, 17), np.uint64)
    fine = labels.repeat(10, 0).repeat(10, 1).repeat(10, 2)
    scales = [LabelScale(fine), LabelScale(fine[::2, ::2, ::2], (16, 16, 16), sharding=sharding())]
    write_labels(directory, *scales)
    truth = {f"em?scale={n}": scale.labels for n, scale in enumerate(scales)}
    return Volume("http", "ngprecomputed", truth, 3 * 2 * 3 + 2 * 1 * 2)


def zarr2(directory: Path) -> Volume:
    levels = levels_of(tissue((100, 130, 150)), 2)
    write_ome_zarr(directory, levels)
    return Volume("s3", "zarr", {"em": levels[0], "em_1": levels[1]}, 18 + 4)


def zarr3(directory: Path) -> Volume:
    levels = levels_of(tissue((100, 130, 150)), 2)
    write_ome_zarr(directory, levels, version="0.5", chunk=(32, 32, 32), shard=(2, 2, 2))
    return Volume("http", "zarr", {"em": levels[0], "em_1": levels[1]}, 4 * 5 * 5 + 2 * 3 * 3)


VOLUMES = (unsharded, sharded, zipped, segmentation, zarr2, zarr3)


def text_of(volume: Volume, bucket: FaultyBucket, directory: Path, disk: str = "64MiB") -> str:
    """Return a configuration with a disk cache below *directory*."""
    if volume.kind == "http":
        where = f'ref = "{bucket.url}/em"\n'
    else:
        where = (
            f'ref = "s3://{BUCKET}/em"\nendpoint = "{bucket.url}"\nregion = "us-east-1"\npath_style = true\n'
        )
    store = f'[store.em]\nengine = "{volume.engine}"\ninstance = "em"\nanonymous = true\n{where}'
    (directory / "disk").mkdir(exist_ok=True)
    cache = f'[cache]\ndisk = "{disk}"\ndisk_path = "{directory}/disk"\n'
    return config_text({}, f"{store}{cache}{LIMITS}")


@dataclass
class Done:
    """A command that has ended."""

    code: int
    output: str
    errors: str

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the summary, by what they count."""
        [line] = self.output.splitlines()
        found = re.findall(r"([\d,]+) (read from|on disk|not stored|failed)", line)
        return {what: int(number.replace(",", "")) for number, what in found}


class Site:
    """A bucket with one volume, and a configuration."""

    def __init__(self, bucket: FaultyBucket, volume: Volume, directory: Path, disk: str = "64MiB") -> None:
        self.bucket = bucket
        self.volume = volume
        self.directory = directory
        self.text = text_of(volume, bucket, directory, disk)

    async def start(
        self,
        *options: str,
        instance: str = "em",
        environ: Mapping[str, str] | None = None,
        prefix: str = "",
    ) -> asyncio.subprocess.Process:
        """Start the command; *prefix* is shell code that runs before."""
        path = self.directory / "prefetch.toml"
        path.write_text(self.text)
        words = (sys.executable, "-m", "dvidpc", "prefetch", str(path), "--instance", instance, *options)
        return await asyncio.create_subprocess_exec(
            *(need("bash", "bash"), "-c", f"{prefix}exec {shlex.join(words)}"),
            env={**os.environ, **(environ or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *options: str, instance: str = "em") -> Done:
        return await ended(await self.start(*options, instance=instance))

    async def wrong(
        self, part: tuple[slice, slice, slice] = (slice(None), slice(None), slice(None))
    ) -> list[str]:
        """Serve the volume; return which of its scales are wrong in a part `[z, y, x]`."""
        async with serving(self.text, self.directory, {}) as server:
            return [
                name
                for name, truth in self.volume.truth.items()
                if not np.array_equal(await cut_out(server, name, truth, part), truth[part])
            ]

    def chunk_reads(self) -> list[str]:
        """Return the keys that were asked for, without metadata, and forget all."""
        keys = [
            asked.key for asked in self.bucket.asked if "/" in asked.key and not METADATA.search(asked.key)
        ]
        self.bucket.asked.clear()
        return keys


async def cut_out(server: Server, name: str, truth: Voxels, part: Sequence[slice]) -> Voxels:
    """Read a part of a scale, `[z, y, x]`."""
    instance, _, query = name.partition("?")
    spans = [one.indices(n) for one, n in zip(part, truth.shape, strict=True)]
    start = "_".join(str(span[0]) for span in reversed(spans))
    shape = [span[1] - span[0] for span in spans]
    size = "_".join(map(str, reversed(shape)))
    body = await server.get(f"{server.node}/{instance}/raw/0_1_2/{size}/{start}?{query}")
    return np.frombuffer(body, truth.dtype).reshape(shape)


async def ended(process: asyncio.subprocess.Process) -> Done:
    """Wait until a command has ended."""
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    assert process.returncode is not None
    assert "Traceback" not in errors.decode()
    return Done(process.returncode, output.decode(), errors.decode())


@pytest.mark.parametrize("write", VOLUMES, ids=lambda write: write.__name__)
async def test_what_was_prefetched_is_served_from_the_disk(write: object, tmp_path: Path) -> None:
    assert callable(write)
    volume = write(tmp_path / "bucket/em")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        done = await site.run()
        assert done.code == 0, done.errors
        assert done.counts == {"read from": volume.chunks, "on disk": 0, "not stored": 0, "failed": 0}
        assert site.chunk_reads()
        again = await site.run()
        assert again.code == 0, again.errors
        assert again.counts == {"read from": 0, "on disk": volume.chunks, "not stored": 0, "failed": 0}
        assert site.chunk_reads() == []
        for path in (tmp_path / "bucket").rglob("*"):
            if path.is_file() and not METADATA.search(path.name):
                path.unlink()
        assert await site.wrong() == []
        assert site.chunk_reads() == []


async def test_what_was_read_long_ago_is_compared_and_then_current_again(tmp_path: Path) -> None:
    volume = unsharded(tmp_path / "bucket/em")
    need("faketime", "faketime")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        assert (await site.run()).code == 0
        site.chunk_reads()
        path = tmp_path / "bucket/em/s1/0-64_0-64_0-50"
        path.write_bytes(bytes(reversed(path.read_bytes())))
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": "+50m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        before = bucket.sent
        done = await ended(await site.start(environ=clock))
        assert done.code == 0, done.errors
        assert (done.counts["read from"], done.counts["on disk"]) == (1, volume.chunks - 1)
        assert bucket.sent - before < path.stat().st_size + 10_000
        assert len(set(site.chunk_reads())) == volume.chunks
        again = await ended(await site.start(environ=clock))
        assert again.counts["on disk"] == volume.chunks
        assert site.chunk_reads() == []


async def test_a_box_and_scales_choose_what_is_read(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(256, 256, 128), chunk_size=(32, 32, 32), offset=(64, 0, 0), scale_levels=3)
    volume = image(tmp_path / "bucket/em", "http", spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        done = await site.run("--box", "100,0,0,129,64,1000", "--scales", "0,2")
        assert done.code == 0, done.errors
        # scale 2 has voxels 16 to 80 along x, of which 25 to 33 show the box: its first chunk
        first = "16-48_0-32_0-32"
        names = [f"em/s0/{x}_{y}_{z}" for x in ("96-128", "128-160") for y in SIDES[:2] for z in SIDES]
        reads = site.chunk_reads()
        assert sorted(reads) == sorted([f"em/s2/{first}", *names])
        assert reads[0] == f"em/s2/{first}"
        assert done.counts["read from"] == len(names) + 1
        assert "em scale 2: " in done.errors
        assert "em scale 1: " not in done.errors


SIDES = ("0-32", "32-64", "64-96", "96-128")

WRONG = {
    ("em", "--box", "0,0,0,64,64"): "--box 0,0,0,64,64: expected six whole numbers of voxels",
    ("em", "--box", "150,0,0,200,9,9"): "lies outside em, which has the voxels 0,0,0,150,130,100",
    ("em", "--scales", "2-"): "em has no scale 2; it has scales 0 to 1",
    ("em", "--scales", "b"): "--scales b: expected numbers of scales",
    ("em_1", "--scales", "0"): "em_1 has no scale 0; it has scale 1 only",
    ("em", "--rate", "0"): "--rate 0: nothing would be read",
    ("em_7",): "--instance em_7: there is no such instance; there are em, em_1",
    ("other",): "--instance other: there is no such instance; there are em, seg, points, here",
    ("seg_meshes",): "--instance seg_meshes: it holds meshes; only chunks of images and segmentations",
    ("points",): "--instance points: it holds annotations; only chunks of images and segmentations",
    ("here",): "is a local directory; the disk cache leaves those out",
}


async def test_what_cannot_be_meant_is_one_line(tmp_path: Path) -> None:
    volume = unsharded(tmp_path / "bucket/em")
    write_labels(tmp_path / "bucket/seg", LabelScale(np.ones((64, 64, 64), np.uint64)))
    info = tmp_path / "bucket/seg/info"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"mesh": "mesh"}))
    (tmp_path / "bucket/points").mkdir()
    (tmp_path / "bucket/points/info").write_text(json.dumps(POINTS))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        places = {name: f"{bucket.url}/{name}" for name in ("seg", "points")} | {"here": str(tmp_path)}
        for name, place in places.items():
            site.text += f'[store.{name}]\nengine = "ngprecomputed"\nref = "{place}"\ninstance = "{name}"\n'
        runs = [site.run(*options, instance=name) for name, *options in WRONG]
        for (words, expected), done in zip(WRONG.items(), await asyncio.gather(*runs), strict=True):
            assert (done.code, done.output) == (2, ""), (words, done)
            assert done.errors.count("\n") == 1, done.errors
            assert expected in done.errors, (words, done.errors)
        assert site.chunk_reads() == []
        site.text = re.sub(r"disk(_path)? = .*\n", "", site.text)
        done = await site.run()
        assert done.code == 2
        assert "there is no disk cache; write below [cache] for example" in done.errors


POINTS = {
    "@type": "neuroglancer_annotations_v1",
    "dimensions": {"x": [8e-9, "m"], "y": [8e-9, "m"], "z": [8e-9, "m"]},
    "lower_bound": [0, 0, 0],
    "upper_bound": [64, 64, 64],
    "annotation_type": "POINT",
    "properties": [],
    "relationships": [],
    "by_id": {"key": "by_id"},
    "spatial": [{"key": "spatial0", "grid_shape": [1, 1, 1], "chunk_size": [64, 64, 64], "limit": 10}],
}


async def test_a_disk_cache_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    volume = unsharded(tmp_path / "bucket/em")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        shutil.rmtree(tmp_path / "disk")
        (tmp_path / "disk").write_text("no directory")
        done = await site.run()
        assert done.code == 2
        assert "dvidpc: the disk cache cannot be used: " in done.errors
        assert site.chunk_reads() == []


async def test_a_box_that_does_not_fit_is_refused_with_figures(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(1024, 512, 192), scale_levels=3, chunk_size=(64, 64, 64))
    volume = image(tmp_path / "bucket/em", "http", spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        done = await site.run()
        assert done.code == 2, done.errors
        expected = (
            r"^dvidpc: the disk cache is too small: 456 chunks, about 11\d MiB \(em scale 2: 1\.\d MiB, "
            r"em scale 1: 1\d MiB, em scale 0: 9\d MiB\), and \[cache\] disk is 64 MiB; .* take --scales "
            r"1- \(about 1\d MiB\), a smaller --box or a larger \[cache\] disk, or --force to go on\n$"
        )
        assert re.search(expected, done.errors), done.errors
        assert len(site.chunk_reads()) <= 3 * 48
        forced = await site.run("--force")
        assert forced.code == 0, forced.errors
        assert forced.counts["read from"] + forced.counts["on disk"] == 456
        assert sum(path.stat().st_size for path in (tmp_path / "disk").rglob("*")) <= 64 * 2**20 * 1.01
        assert (await site.run("--scales", "1-")).code == 0


async def test_the_rate_is_held(tmp_path: Path) -> None:
    volume = sharded(tmp_path / "bucket/em")
    rate = 2**20
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        process = await site.start("--rate", "1MiB")
        sent = [(time.monotonic(), bucket.sent)]
        running = asyncio.ensure_future(ended(process))
        while not running.done():
            await asyncio.sleep(0.02)
            sent.append((time.monotonic(), bucket.sent))
        done = await running
        assert done.code == 0, done.errors
        total = bucket.sent
        assert total > 2 * rate  # else nothing would be tested
        for at, nbytes in sent:
            window = [later for when, later in sent if at <= when <= at + 1]
            assert max(window) - nbytes <= 2.6 * rate, "a second, half a second of burst, and a joined read"
        begun = next(when for when, nbytes in sent if nbytes)
        last = max(when for when, nbytes in sent if nbytes < total)
        assert total / (last - begun) <= 2.5 * rate


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
async def test_what_was_stopped_goes_on_where_it_was(number: signal.Signals, tmp_path: Path) -> None:
    spec = VolumeSpec(size=(256, 256, 128), chunk_size=(16, 16, 16))
    volume = image(tmp_path / "bucket/em", "http", spec)
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        process = await site.start("--rate", "1MiB")
        await soon(lambda: len(bucket.asked) > 700, 0.02, PATIENCE_S)
        process.send_signal(number)
        done = await ended(process)
        stopped = set(site.chunk_reads())
        assert 500 < len(stopped) < volume.chunks
        if number is not signal.SIGKILL:
            assert done.code == 130
            assert "interrupted; run the same command again to go on" in done.errors
            assert re.match(rf"{done.counts['read from']:,} of 2,048 chunks in \d", done.output)
        again = await site.run()
        assert again.code == 0, again.errors
        assert again.counts["on disk"] + again.counts["read from"] == volume.chunks
        lost = stopped & set(site.chunk_reads())
        assert again.counts["on disk"] == len(stopped) - len(lost)
        assert len(lost) <= 100 + 300 * (number is signal.SIGKILL), "what was in flight, or not yet written"
        assert await site.wrong() == []
        assert site.chunk_reads() == []


async def test_chunks_that_fail_are_counted_and_named(tmp_path: Path) -> None:
    volume = unsharded(tmp_path / "bucket/em")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        bucket.rule("em/s0/64-128_0-64_*", BROKEN)
        (tmp_path / "bucket/em/s1/0-64_0-64_0-50").write_bytes(b"")
        done = await site.run()
        assert done.code == 1
        assert done.counts == {"read from": volume.chunks - 3, "on disk": 0, "not stored": 0, "failed": 3}
        assert "s1/0-64_0-64_0-50: chunk is empty (0 bytes)" in done.errors
        assert "s0/64-128_0-64_0-64" in done.errors
        assert "dvidpc: 3 chunks could not be read; run the same command again to go on" in done.errors
        bucket.heal()
        again = await site.run()
        assert again.code == 1
        assert again.counts == {"read from": 2, "on disk": volume.chunks - 3, "not stored": 0, "failed": 1}


async def test_a_bucket_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    volume = image(tmp_path / "bucket/em", "http", VolumeSpec(size=(256, 256, 128), chunk_size=(16, 16, 16)))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        process = await site.start("--rate", "2MiB")
        await soon(lambda: len(bucket.asked) > 700, 0.02, PATIENCE_S)
        await bucket.stop()
        await asyncio.sleep(3)
        await bucket.start(bucket.port)
        done = await ended(process)
        assert done.code == 0, done.errors
        assert done.counts["read from"] == volume.chunks
        assert await site.wrong() == []


async def test_a_bucket_that_refuses_everything_ends_it(tmp_path: Path) -> None:
    volume = image(tmp_path / "bucket/em", "http", VolumeSpec(size=(128, 128, 128), chunk_size=(16, 16, 16)))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        bucket.rule("em/s0/*", Fault(status=403))
        done = await site.run()
        assert done.code == 1
        assert done.errors.count("\n") == 1
        assert "403" in done.errors


async def test_a_server_that_runs_already_gets_what_is_prefetched(tmp_path: Path) -> None:
    volume = sharded(tmp_path / "bucket/em")
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        async with serving(site.text, tmp_path, {}) as server:
            done = await site.run()
            assert done.code == 0, done.errors
            site.chunk_reads()
            for name, truth in volume.truth.items():
                whole = tuple(slice(None) for _ in truth.shape)
                assert np.array_equal(await cut_out(server, name, truth, whole), truth)
            assert site.chunk_reads() == []


async def test_a_disk_that_takes_no_more_ends_it(tmp_path: Path) -> None:
    volume = image(tmp_path / "bucket/em", "http", VolumeSpec(size=(512, 512, 64), chunk_size=(16, 16, 16)))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        process = await site.start("--rate", "8MiB", prefix="ulimit -f 4096; ")  # files of 4 MiB
        done = await ended(process)
        assert done.code == 1
        assert "dvidpc: stopped: the disk cache takes no more: " in done.errors
        assert re.match(r"[1-9][\d,]* of 4,096 chunks in ", done.output)
        again = await site.run()
        assert again.code == 0, again.errors
        assert await site.wrong() == []


async def test_a_petavoxel_needs_no_more_memory_than_a_little_volume(tmp_path: Path) -> None:
    volume = image(tmp_path / "bucket/em", "http", VolumeSpec(size=(64, 64, 64)))
    info = json.loads((tmp_path / "bucket/em/info").read_text())
    info["scales"][0]["size"] = [10**5, 10**5, 10**5]
    (tmp_path / "bucket/em/info").write_text(json.dumps(info))
    async with faulty_bucket(tmp_path / "bucket") as bucket:
        site = Site(bucket, volume, tmp_path)
        process = await site.start()
        await soon(lambda: len(bucket.asked) > 3000, 0.02, PATIENCE_S)
        [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        process.send_signal(signal.SIGINT)
        done = await ended(process)
        assert done.code == 130
        assert re.match(r"[\d,]+ of 3,818,360,547 chunks in ", done.output), done.output
        assert int(peak) < 250_000
