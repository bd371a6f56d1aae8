"""A volume in a real S3 service, Ceph's object gateway, which checks signatures, keys and policies."""

import asyncio
import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dvidpc.storage.absence import FRESH_S
from tests.ceph import DNS_NAME, Ceph, Keys, Statement, policy, run_ceph, statement
from tests.check.test_check_buckets import Said, check
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.programs import need
from tests.proxies import run_http_proxy
from tests.serving import Server, config_text, serving
from tests.volumes import XYZ, VolumeSpec, sharding

UNSHARDED = VolumeSpec(size=(128, 100, 60), holes=((1, 1, 0),))
SHARDED = replace(UNSHARDED, sharding=sharding(shard_bits=0))
SHARD = "em/s0/0.shard"
NO_CACHE = "[cache]\nmemory = 0"
LISTED = "missing_status = [403, 404]"
PART = 250_000
"""Bytes of one part of a multipart upload."""
FAKETIME = "/usr/$LIB/faketime/libfaketimeMT.so.1"
"""The dynamic linker knows what `$LIB` is."""
UPLOADS_ARE_NOT_LOOKED_UP = r"(yes|not known \(the service answers 500 InternalError\))"
"""Ceph 16 takes the completion of an upload that was never begun for one that is under way already."""
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ceph]:
    with run_ceph(tmp_path_factory.mktemp("ceph")) as service:
        yield service


@dataclass(frozen=True, slots=True)
class Site:
    """A bucket of its owner, and another user who may list and read it."""

    ceph: Ceph
    bucket: str
    owner: Keys
    reader: Keys
    reader_name: str

    def set_policy(self, *more: Statement) -> None:
        """Let the reader list and read the bucket, except as the statements *more* say."""
        self.ceph.client(self.owner).put_bucket_policy(
            Bucket=self.bucket, Policy=policy(self.may("s3:ListBucket", ""), self.may("s3:GetObject"), *more)
        )

    def may(self, action: str, keys: str = "/*", effect: str = "Allow") -> Statement:
        """Return a statement about the reader and *keys*, a pattern; empty for the bucket itself."""
        return statement(action, self.reader_name, f"arn:aws:s3:::{self.bucket}{keys}", effect=effect)

    def put(self, file: Path, key: str) -> None:
        """Upload a file, in parts if it is a shard."""
        client, data = self.ceph.client(self.owner), file.read_bytes()
        where = {"Bucket": self.bucket, "Key": key}
        if file.suffix != ".shard":
            client.put_object(Body=data, **where)
            return
        upload = client.create_multipart_upload(**where)["UploadId"]
        parts = [
            {
                "PartNumber": number,
                "ETag": client.upload_part(
                    PartNumber=number, UploadId=upload, Body=data[start : start + PART], **where
                )["ETag"],
            }
            for number, start in enumerate(range(0, len(data), PART), 1)
        ]
        client.complete_multipart_upload(UploadId=upload, MultipartUpload={"Parts": parts}, **where)

    def upload(self, directory: Path) -> None:
        """Upload a volume as `em`."""
        for file in directory.rglob("*"):
            if file.is_file():
                self.put(file, f"em/{file.relative_to(directory)}")

    def text(self, more: str = "") -> str:
        """Return the configuration; the first lines of *more* continue `[store.em]`."""
        return config_text(
            {"em": f"s3://{self.bucket}/em"},
            f'endpoint = "{self.ceph.url}"\n{more}\n[limits]\nnegative_ttl = 0.3',
        )

    def buckets(self) -> list[str]:
        """Return the names of all buckets of the owner and the reader."""
        answers = [self.ceph.client(keys).list_buckets() for keys in (self.owner, self.reader)]
        return [bucket["Name"] for answer in answers for bucket in answer["Buckets"]]

    def names(self) -> list[str]:
        """Return all keys in the bucket, and those of uploads that were begun."""
        client = self.ceph.client(self.owner)
        found = client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        begun = client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [one["Key"] for one in (*found, *begun)]


@pytest.fixture
def site(ceph: Ceph) -> Site:
    number = next(_numbers)
    owner, reader = f"owner{number}", f"reader{number}"
    made = Site(ceph, f"bucket-{number}", ceph.add_user(owner), ceph.add_user(reader), reader)
    ceph.client(made.owner).create_bucket(Bucket=made.bucket)
    made.set_policy()
    return made


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Keys], None]:
    def set_all(keys: Keys) -> None:
        for name, value in keys.environ().items():
            monkeypatch.setenv(name, value)

    return set_all


async def wrong(server: Server, truth: Truth, blocks: list[XYZ] | None = None) -> list[XYZ]:
    """Return which of *blocks* (None: all) are wrong in an answer that has to be 200."""
    asked = truth.blocks if blocks is None else blocks
    return truth.wrong_in(asked, await server.get(blocks_path(server.node, "em", asked)))


async def check_as(keys: Keys, directory: Path, text: str, more: Mapping[str, str] | None = None) -> Said:
    environ = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(directory), **keys.environ(), **(more or {})}
    return await check(directory, text, "--deep", environ=environ)


async def test_every_block_is_right(site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    site.upload(tmp_path / "em")
    sign_in(site.reader)
    async with serving(site.text("path_style = true"), tmp_path) as server:
        assert await wrong(server, truth) == []
        assert (await server.error("/readyz"))[0] == 200


async def test_every_block_of_a_multipart_shard_is_right_by_tls(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", SHARDED)
    site.upload(tmp_path / "em")
    etag = site.ceph.client(site.owner).head_object(Bucket=site.bucket, Key=SHARD)["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}-[2-9]"', etag)
    sign_in(site.reader)
    text = site.text(f'ca_bundle = "{site.ceph.authority.bundle}"').replace(site.ceph.url, site.ceph.tls_url)
    async with serving(text, tmp_path) as server:
        assert await wrong(server, truth) == []
        assert (await server.error("/readyz"))[0] == 200


async def test_every_block_is_right_where_the_bucket_is_a_host(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    site.upload(tmp_path / "em")
    sign_in(site.reader)
    text = site.text("path_style = false").replace("127.0.0.1", DNS_NAME)
    async with run_http_proxy() as proxy:
        environ = {**os.environ, "http_proxy": proxy.url("http"), "no_proxy": ""}
        async with serving(text, tmp_path, environ) as server:
            assert await wrong(server, truth) == []
        assert set(proxy.asked) == {f"{site.bucket}.{DNS_NAME}"}


async def test_absent_chunks_are_absent_where_listing_is_denied(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    site.upload(tmp_path / "em")
    site.set_policy(site.may("s3:ListBucket", "", "Deny"))
    sign_in(site.reader)
    path = "/em/specificblocks?compression=uncompressed&blocks=1,1,0"
    for more, status in (("", 503), (LISTED, 200)):
        async with serving(site.text(more), tmp_path) as server:
            assert (await server.error(f"{server.node}{path}"))[0] == status
            assert await wrong(server, truth, [one for one in truth.blocks if one != (1, 1, 0)]) == []


async def assert_refused(server: Server, truth: Truth) -> None:
    """Check that no block is served as an empty one, and that the server says that it is not ready."""
    for block in truth.blocks:
        status, said = await server.error(blocks_path(server.node, "em", [block]))
        assert status == 503, said
    assert (await server.error(f"{server.node}/em/raw/0_1_2/64_64_64/0_0_0"))[0] == 503
    assert (await server.error("/readyz"))[0] == 503


@pytest.mark.parametrize(("how", "spec"), [("secret", SHARDED), ("key", UNSHARDED)], ids=["secret", "key"])
async def test_keys_refused_later_leave_no_empty_blocks(
    how: str, spec: VolumeSpec, site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", spec)
    site.upload(tmp_path / "em")
    sign_in(site.reader)
    who = (f"--uid={site.reader_name}", f"--access-key={site.reader.key_id}")
    async with serving(site.text(f"{LISTED}\n{NO_CACHE}"), tmp_path) as server:
        assert await wrong(server, truth, truth.blocks[:1]) == []
        if how == "secret":
            site.ceph.admin("user", "modify", *who, "--secret=another")
        else:
            site.ceph.admin("key", "rm", "--key-type=s3", *who)
        await asyncio.sleep(FRESH_S + 0.1)
        await assert_refused(server, truth)
        site.ceph.admin("key", "create", "--key-type=s3", *who, f"--secret={site.reader.secret}")
        await asyncio.sleep(FRESH_S + 0.4)
        assert await wrong(server, truth) == []


async def test_an_expired_role_leaves_no_empty_blocks(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    site.upload(tmp_path / "em")
    keys = site.ceph.assume_role(site.reader, site.reader_name, duration_s=5)
    expires = asyncio.get_running_loop().time() + 5
    sign_in(keys)
    async with serving(site.text(f"{LISTED}\n{NO_CACHE}"), tmp_path) as server:
        assert await wrong(server, truth) == []
        await asyncio.sleep(expires + 1 + FRESH_S - asyncio.get_running_loop().time())
        await assert_refused(server, truth)


async def test_a_server_that_starts_with_a_wrong_secret_serves_nothing(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    site.upload(tmp_path / "em")
    sign_in(replace(site.reader, secret="made-up-secret-of-nobody"))
    async with serving(site.text(LISTED), tmp_path) as server:
        await assert_refused(server, truth)
        assert "missing_status" not in (await server.error("/readyz"))[1]


async def test_a_replaced_shard_is_never_mixed(
    site: Site, tmp_path: Path, sign_in: Callable[[Keys], None]
) -> None:
    specs = (SHARDED, replace(SHARDED, seed=77, holes=()), replace(SHARDED, seed=78))
    truths = [write_truth(tmp_path / str(number), spec) for number, spec in enumerate(specs)]
    blocks = truths[0].blocks
    site.upload(tmp_path / "0")
    sign_in(site.reader)
    async with serving(site.text(NO_CACHE), tmp_path) as server:
        assert await wrong(server, truths[0], [(0, 0, 0), (1, 0, 0)]) == []
        for number in (1, 2):
            new = tmp_path / str(number) / "s0" / "0.shard"
            async with asyncio.TaskGroup() as group:
                upload = group.create_task(asyncio.to_thread(site.put, new, SHARD))
                while not upload.done():
                    body = await server.get(blocks_path(server.node, "em", blocks))
                    before, after = (
                        truth.wrong_in(blocks, body) for truth in truths[number - 1 : number + 1]
                    )
                    assert set(before).isdisjoint(after)
            assert await wrong(server, truths[number], [(0, 1, 0)]) == []
            assert await wrong(server, truths[number]) == []


class TestCheck:
    async def test_a_reader_is_told_its_rights(self, site: Site, tmp_path: Path) -> None:
        write_truth(tmp_path / "em", UNSHARDED)
        site.upload(tmp_path / "em")
        before = site.names()
        for keys, may_write in ((site.reader, "no"), (site.owner, UPLOADS_ARE_NOT_LOOKED_UP)):
            said = await check_as(keys, tmp_path, site.text())
            assert (said.code, said.err) == (0, "")
            line = f"read as access key {keys.key_id}; may list: yes, may write: {may_write}\n"
            assert re.search(line, said.out)
            assert "scale 0: 3 of 4 chunks" in said.out
            assert site.names() == before

    @pytest.mark.parametrize("offset", ["+20m", "-20m"])
    async def test_a_clock_20_minutes_off_is_corrected(self, offset: str, site: Site, tmp_path: Path) -> None:
        need("faketime", "faketime")
        write_truth(tmp_path / "em", UNSHARDED)
        site.upload(tmp_path / "em")
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        said = await check_as(site.reader, tmp_path, site.text(), clock)
        assert said.code == 0
        assert "scale 0: 3 of 4 chunks" in said.out
        assert "differs from the service's by" in said.err

    async def test_a_wrong_secret_is_not_a_missing_right(self, site: Site, tmp_path: Path) -> None:
        write_truth(tmp_path / "em", UNSHARDED)
        site.upload(tmp_path / "em")
        keys = replace(site.reader, secret="made-up-secret-of-nobody")
        said = await check_as(keys, tmp_path, site.text())
        assert said.code == 1
        assert re.search(
            "problem .*/em/info cannot be read: the credentials .*are wrong or expired", said.out
        )
        assert "fix: check the credentials" in said.out
        assert "missing_status" not in said.out

    @pytest.mark.parametrize(("more", "spec"), [("", UNSHARDED), (LISTED, SHARDED)], ids=["404", "403"])
    async def test_a_denied_prefix_is_a_problem(
        self, more: str, spec: VolumeSpec, site: Site, tmp_path: Path
    ) -> None:
        write_truth(tmp_path / "em", spec)
        site.upload(tmp_path / "em")
        site.set_policy(site.may("s3:GetObject", "/em/s0/*", "Deny"))
        said = await check_as(site.reader, tmp_path, site.text(more))
        assert said.code == 1
        assert "may list: yes, may write: no\n" in said.out
        assert re.search(rf"problem scale 0: s3://{site.bucket}/em/s0/\S+ ", said.out)

    async def test_a_bucket_that_does_not_exist_is_not_created(self, site: Site, tmp_path: Path) -> None:
        before = site.buckets()
        text = site.text().replace(f"s3://{site.bucket}/", "s3://no-such-bucket/")
        said = await check_as(site.owner, tmp_path, text)
        assert said.code == 1
        assert "may write: not known\n" in said.out
        assert re.search("problem .*there is no such bucket", said.out)
        assert site.buckets() == before == [site.bucket]
