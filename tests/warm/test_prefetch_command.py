"""The command as it is typed, in front of a bucket that counts; then its chunks are served from the disk."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.array_volumes import levels_of, tissue, write_ome_zarr
from tests.faulty.bucket import BUCKET, FaultyBucket, faulty_bucket
from tests.label_volumes import LabelScale, write_labels
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, Voxels, sharding, write_volume

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

    async def start(self, *options: str, instance: str = "em") -> asyncio.subprocess.Process:
        path = self.directory / "prefetch.toml"
        path.write_text(self.text)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dvidpc", "prefetch", str(path), "--instance", instance, *options),
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
