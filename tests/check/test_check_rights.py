"""`dvidpc check` says of rights only what is true, and never writes."""

import re
from pathlib import Path

import pytest
from aiohttp import web

from tests.check.test_check_buckets import check, s3_text
from tests.s3_replay import ReplayedS3, is_listing, s3_error
from tests.servers import serve
from tests.volumes import VolumeSpec, sharding, write_volume


async def test_write_access_is_a_warning(tmp_path: Path) -> None:
    write_volume(tmp_path / "s3" / "checked" / "em", VolumeSpec())
    s3 = ReplayedS3(tmp_path / "s3")
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "checked"))
    assert said.code == 0, said
    assert "read as access key AKIDTEST; may list: yes, may write: yes" in said.out
    assert "warning access key AKIDTEST may write there; reading is all the server needs" in said.out
    assert s3.written == ["POST /checked/em/.dvidpc-check"]  # completes an upload that was never begun
    assert not list(tmp_path.rglob("*dvidpc-check*"))


async def test_nothing_is_written_into_a_bucket_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "s3").mkdir()
    s3 = ReplayedS3(tmp_path / "s3", creates_buckets=True)
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "no-such-bucket"), "--deep")
    assert said.code == 1
    assert (s3.written, list((tmp_path / "s3").iterdir())) == ([], [])
    assert "may list: not known (the service answers 404 NoSuchBucket), may write: not known\n" in said.out
    assert re.search("problem .*there is no such bucket", said.out)


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "InvalidAccessKeyId", "the service does not know the access key"),
        (403, "SignatureDoesNotMatch", "the secret key may be wrong"),
        (403, "RequestTimeTooSkewed", "the clock of this machine differs"),
        (400, "InvalidToken", "the service does not accept the session token"),
        (400, "ExpiredToken", "the credentials have expired"),
    ],
)
async def test_bad_credentials_are_not_reported_as_missing_rights(
    tmp_path: Path, status: int, code: str, why: str
) -> None:
    s3 = ReplayedS3(tmp_path, refuse=lambda _: s3_error(status, code))
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket"), "--deep")
    assert said.code == 1
    assert re.search(f"problem s3://bucket/em/info cannot be read: .*{why}", said.out)
    assert f"may list: not known (the service answers {status} {code}), may write: not known\n" in said.out
    assert "missing_status" not in said.out
    assert "warning" not in said.out


async def test_an_anonymous_reader_is_not_said_to_be_unable_to_write(tmp_path: Path) -> None:
    write_volume(tmp_path / "s3" / "open" / "em", VolumeSpec())
    s3 = ReplayedS3(tmp_path / "s3")
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "open", "anonymous = true"))
    assert said.code == 0
    assert "read as anybody; may list: yes, may write: not known\n" in said.out
    assert s3.written == []


def denying(part: str) -> ReplayedS3:
    """Return arguments of a service that lists everything and refuses to read what *part* is in."""

    def refuse(request: web.Request) -> web.Response | None:
        is_denied = part in request.path and not is_listing(request)
        return s3_error(403, "AccessDenied") if is_denied else None

    return ReplayedS3(Path(), refuse=refuse)


@pytest.mark.parametrize("spec", [VolumeSpec(), VolumeSpec(sharding=sharding())], ids=["chunks", "shards"])
@pytest.mark.parametrize("options", [("--deep",), ()], ids=["deep", "short"])
async def test_a_denied_prefix_is_a_problem_even_if_403_means_missing(
    tmp_path: Path, spec: VolumeSpec, options: tuple[str, ...]
) -> None:
    write_volume(tmp_path / "s3" / "bucket" / "em", spec)
    s3 = denying("/s0/")
    s3.directory = tmp_path / "s3"
    async with serve(s3) as server:
        text = s3_text(server.url, "bucket", "missing_status = [403, 404]")
        said = await check(tmp_path, text, *options)
    assert said.code == 1, said
    assert re.search(r"problem scale 0: s3://bucket/em/s0/\S+ is listed, but reads as absent", said.out)
    assert "and take 403 out of [store.em] missing_status, which hides the refusal" in said.out


async def test_one_denied_scale_of_several_is_found(tmp_path: Path) -> None:
    write_volume(tmp_path / "s3" / "bucket" / "em", VolumeSpec(scale_levels=2))
    s3 = denying("/s1/")
    s3.directory = tmp_path / "s3"
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket", "missing_status = [403, 404]"), "--deep")
    assert said.code == 1
    assert "scale 0: 18 of 18 chunks" in said.out
    assert re.search(r"problem scale 1: s3://bucket/em/s1/\S+ is listed, but reads as absent", said.out)


@pytest.mark.parametrize(("size", "looked_at"), [((60, 60, 60), 1), ((150, 60, 60), 3), ((600, 60, 60), 9)])
async def test_samples_are_counted_as_looked_at(
    tmp_path: Path, size: tuple[int, int, int], looked_at: int
) -> None:
    directory = tmp_path / "s3" / "bucket" / "em"
    write_volume(directory, VolumeSpec(size=size))
    for chunk in (directory / "s0").iterdir():
        chunk.unlink()
    async with serve(ReplayedS3(tmp_path / "s3")) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket"))
    assert f"scale 0: none of {looked_at} sampled chunks of 64 x 64 x 64 is stored" in said.out


@pytest.mark.parametrize("more", ["", 'region = "us-east-1"'], ids=["unset", "wrong"])
async def test_a_region_that_only_refusals_name_is_used_and_reported(tmp_path: Path, more: str) -> None:
    """MinIO with a region of its own (minio-py issue 1059)."""
    write_volume(tmp_path / "s3" / "bucket" / "em", VolumeSpec())
    words = "the region is wrong; expecting 'milkyway'."

    def refuse(request: web.Request) -> web.Response | None:
        signed = request.headers.get("Authorization", "")
        if not signed:
            return web.Response(status=403)
        if "/milkyway/" in signed:
            return None
        code = "<Code>AuthorizationHeaderMalformed</Code>"
        return web.Response(status=400, text=f"<Error>{code}<Message>{words}</Message></Error>")

    async with serve(ReplayedS3(tmp_path / "s3", refuse=refuse)) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket", more), "--deep")
    assert said.code == 0, said
    assert "read as access key AKIDTEST, region milkyway; may list: yes, may write: yes" in said.out
    assert "18 of 18 chunks" in said.out
    assert ("warning the bucket lies in region milkyway, not in us-east-1" in said.out) == bool(more)


@pytest.mark.parametrize("options", [("--deep",), ()], ids=["deep", "short"])
async def test_what_is_listed_but_denied_is_one_problem_without_advice_on_absence(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    write_volume(tmp_path / "s3" / "bucket" / "em", VolumeSpec(scale_levels=2))
    s3 = denying("/s0/")
    s3.directory = tmp_path / "s3"
    async with serve(s3) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket"), *options)
    assert said.code == 1
    [problem] = re.findall("^  problem (.*)$", said.out, re.MULTILINE)
    assert re.fullmatch(r"scale 0: s3://bucket/em/s0/\S+ is listed, but may not be read \(403\)", problem)
    assert "fix: check the credentials; allow s3:GetObject on arn:aws:s3:::bucket/em/*" in said.out
    assert "missing_status" not in said.out


async def test_a_denied_listing_where_nothing_can_be_read_may_be_due_to_wrong_credentials(
    tmp_path: Path,
) -> None:
    """Ceph answers AccessDenied to a wrong secret, an unknown key and a missing right alike."""
    async with serve(ReplayedS3(tmp_path, refuse=lambda _: s3_error(403, "AccessDenied"))) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket"))
    reason = "or the credentials are wrong: nothing can be read, and the service does not tell"
    assert f"may list: no ({reason}), may write: not known\n" in said.out
