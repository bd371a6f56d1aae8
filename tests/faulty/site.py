"""The real server in front of a failing bucket, for one test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faulty.bucket import BUCKET, FaultyBucket, faulty_bucket
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.serving import Server, config_text, serving
from tests.volumes import XYZ, VolumeSpec, sharding

UNSHARDED = VolumeSpec(size=(150, 130, 100), holes=((1, 1, 0),))
SHARDED = VolumeSpec(size=(150, 130, 100), holes=((1, 1, 0),), sharding=sharding(shard_bits=0))
SHARD = "em/s0/0.shard"
QUICK = {
    "connect_timeout": 1,
    "first_byte_timeout": 0.8,
    "attempt_timeout": 1.6,
    "request_deadline": 5,
    "backoff_min": 0.001,
    "backoff_max": 0.01,
    "retry_budget": 1,
    "negative_ttl": 0.3,
}
"""A `[limits]` section with timeouts short enough for tests."""


@dataclass(frozen=True)
class Site:
    """The server, its bucket, and what the volume holds."""

    server: Server
    bucket: FaultyBucket
    truth: Truth

    def path(self, blocks: list[XYZ]) -> str:
        """Return the path of a request for *blocks*."""
        return blocks_path(self.server.node, "em", blocks)

    async def wrong(self, blocks: list[XYZ] | None = None) -> list[XYZ]:
        """Return which of *blocks* (None: all) are wrong in an answer that has to be 200."""
        asked = self.truth.blocks if blocks is None else blocks
        return self.truth.wrong_in(asked, await self.server.get(self.path(asked)))

    async def status(self, blocks: list[XYZ]) -> int:
        """Return the status of the answer, after checking that an answer of 200 is correct."""
        async with self.server.session.get(self.server.url + self.path(blocks)) as answer:
            body = await answer.read()
            if answer.status == 200:
                assert self.truth.wrong_in(blocks, body) == []
            else:
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                assert answer.headers["Content-Type"].startswith("text/plain")
                assert ("Retry-After" in answer.headers) == (answer.status == 503)
            return answer.status


def store_section(kind: str, bucket: FaultyBucket, name: str = "em", more: str = "") -> str:
    """Return the `[store.*]` section of a volume in *bucket*, reached as a web server or as S3."""
    if kind == "http":
        ref, keys = f"{bucket.url}/{name}", "anonymous = true\n"
    else:
        ref = f"s3://{BUCKET}/{name}"
        keys = f'endpoint = "{bucket.url}"\nregion = "us-east-1"\nanonymous = true\npath_style = true\n'
    return f'[store.{name}]\nengine = "ngprecomputed"\ninstance = "{name}"\nref = "{ref}"\n{keys}{more}\n'


def limits_section(**limits: float) -> str:
    """Return a `[limits]` section: QUICK, changed by *limits*."""
    return "[limits]\n" + "".join(f"{key} = {value}\n" for key, value in (QUICK | limits).items())


@asynccontextmanager
async def faulty_site(
    directory: Path, kind: str, spec: VolumeSpec = UNSHARDED, more: str = "", limits: str | None = None
) -> AsyncIterator[Site]:
    """Serve a volume from a bucket of *kind*, `http` or `s3`, that has no faults yet.

    Args:
        directory: Where the bucket and the configuration are written.
        kind: How the bucket is reached.
        spec: Which volume.
        more: More lines of the configuration; the first ones continue `[store.em]`.
        limits: The `[limits]` section; None is QUICK.
    """
    truth = write_truth(directory / "bucket" / "em", spec)
    async with faulty_bucket(directory / "bucket") as bucket:
        text = config_text({}, store_section(kind, bucket, more=more) + (limits or limits_section()))
        async with serving(text, directory, {}) as server:
            yield Site(server, bucket, truth)
