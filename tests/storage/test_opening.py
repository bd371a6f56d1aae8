"""The right store is opened for a configuration, and a process that used it ends cleanly."""

import asyncio
import sys
import textwrap
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import ConfigError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.opening import bucket_of, open_lister, open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve
from tests.storage.contract import LIMITS

READER = """
    import asyncio, sys
    from dvidpc.storage.base import BucketAccess, UpstreamLimits
    from dvidpc.storage.opening import open_store
    from dvidpc.storage.ref import parse_ref

    async def main(ref: str, endpoint: str | None = None) -> None:
        access = BucketAccess(parse_ref(ref), endpoint=endpoint, anonymous=True)
        store = await open_store(access, UpstreamLimits(), environ={})
        blobs = await asyncio.gather(*(store.get("info", max_size=100) for _ in range(20)))
        assert all(blob and blob.data == b"{}" for blob in blobs)
        late = [asyncio.create_task(store.get("info", max_size=100)) for _ in range(20)]
        await asyncio.sleep(0.001)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await store.close()

    asyncio.run(main(*sys.argv[1:]))
"""


async def exit_code(*arguments: str) -> int:
    script = textwrap.dedent(READER)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, *arguments)
    return await process.wait()


async def test_process_that_read_exits_cleanly(tmp_path: Path) -> None:

    async def answer(_: web.Request) -> web.Response:
        headers = {"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
        return web.Response(body=b"{}", headers=headers)

    (tmp_path / "info").write_bytes(b"{}")
    codes: list[int] = []
    async with serve(answer) as server:
        for _ in range(3):
            runs = exit_code(str(tmp_path)), exit_code("gs://bucket", server.url)
            codes += await asyncio.gather(*runs)
    assert codes == [0] * 6


@pytest.mark.parametrize("ref", ["https://host/a", "gs://bucket/a", "s3://bucket/a"])
@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
async def test_unusable_ca_bundle_is_a_config_error(tmp_path: Path, ref: str, content: bytes | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bundle\.pem"):
        await open_store(BucketAccess(parse_ref(ref), anonymous=True, ca_bundle=bundle), LIMITS, environ={})


async def test_wrong_ref_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="did you mean gs://"):
        await open_store(BucketAccess(parse_ref("gcs://bucket")), LIMITS, environ={})


async def test_web_server_has_no_listing() -> None:
    assert await open_lister(BucketAccess(parse_ref("http://localhost:1/em")), LIMITS, environ={}) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("s3://bucket/a", "s3://bucket/b", True),
        ("s3://bucket/a", "s3://other/a", False),
        ("s3://bucket/a", "gs://bucket/a", False),
        ("vast://one/bucket", "vast://two/bucket", False),
        ("https://host/a", "https://host/b", True),
        ("/data/a", "/data/b", False),
    ],
)
def test_volumes_of_one_bucket_share_a_gate(one: str, other: str, *, same: bool) -> None:
    assert (bucket_of(BucketAccess(parse_ref(one))) == bucket_of(BucketAccess(parse_ref(other)))) == same
