"""The real command suggests fixes for half-uploaded, forbidden, misplaced and damaged buckets."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from tests.servers import Handler, S3Server, run_s3_server, serve, serve_directory
from tests.serving import config_text
from tests.volumes import VolumeSpec, sharding, write_volume

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDTEST",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class Said(NamedTuple):
    code: int
    out: str
    err: str


async def check(tmp_path: Path, text: str, *options: str, environ: Mapping[str, str] | None = None) -> Said:
    path = tmp_path / "config.toml"
    path.write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dvidpc", "check", *options, str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=kept | dict(KEYS if environ is None else environ),
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert "made-up-secret" not in f"{out!r}{err!r}"
    assert b"\x1b" not in out + err  # no colours and no bar without a terminal
    return Said(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with run_s3_server() as server:
        yield server


def upload(s3: S3Server, bucket: str, directory: Path, region: str = "us-east-1") -> None:
    s3.make_bucket(bucket, region)
    for file in directory.rglob("*"):
        if file.is_file():
            s3.put(bucket, f"em/{file.relative_to(directory)}", file.read_bytes())


def s3_text(url: str, bucket: str, more: str = "") -> str:
    store = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "s3://{bucket}/em"\n'
    return f'{store}endpoint = "{url}"\n{more}\n'


async def test_complete_volumes_are_reported_as_complete(tmp_path: Path) -> None:
    write_volume(tmp_path / "plain", VolumeSpec(scale_levels=2, encoding="jpeg"))
    write_volume(tmp_path / "sharded", VolumeSpec(sharding=sharding()))
    text = config_text({name: tmp_path / name for name in ("plain", "sharded")})
    said = await check(tmp_path, text, "--deep")
    assert (said.code, said.err) == (0, "")
    assert "scale 1: 4 of 4 chunks of 64 x 64 x 64 are stored" in said.out
    assert said.out.count("scale 0: 18 of 18 chunks of 64 x 64 x 64 are stored") == 2
    assert not re.search("warning|problem|fix", said.out)


async def test_a_half_uploaded_directory_is_reported_with_its_absent_chunks(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=2))
    chunks = sorted((tmp_path / "em" / "s0").iterdir())
    for chunk in [*chunks[3:10], *(tmp_path / "em" / "s1").iterdir()]:
        chunk.unlink()
    write_volume(tmp_path / "cut", VolumeSpec(sharding=sharding()))
    shard = min((tmp_path / "cut" / "s0").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1])
    said = await check(tmp_path, config_text({name: tmp_path / name for name in ("em", "cut")}), "--deep")
    assert said.code == 1
    absent = (
        r"warning scale 0: 11 of 18 chunks of 64 x 64 x 64 are stored; the first absent chunk is \S+; "
        "absent chunks are served as empty"
    )
    assert re.search(absent, said.out)
    assert "problem scale 1: none of its 4 chunks of 64 x 64 x 64 is stored" in said.out
    assert (
        "fix: if the chunks should exist, upload them from a complete copy: "
        f"rsync -a --checksum SOURCE/ {tmp_path}/em/" in said.out
    )
    assert re.search(r"problem scale 0: file://\S+/s0/0.shard ends at byte \d+, before", said.out)
    assert f"fix: upload it again from a good copy: rsync -a --checksum SOURCE/ {tmp_path}/cut/" in said.out
    assert said.err == "dvidpc: 2 of 2 volumes have problems\n"


async def test_a_sparse_volume_is_a_warning(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(holes=((0, 0, 0), (1, 0, 0))))
    said = await check(tmp_path, config_text({"em": tmp_path / "em"}), "--deep", "--json")
    report = json.loads(said.out)
    assert (said.code, report["problems"]) == (0, [])
    assert report["counts"] == [{"scale": 0, "chunk_size": [64, 64, 64], "expected": 18, "stored": 16}]
    [warning] = report["warnings"]
    assert "16 of 18 chunks of 64 x 64 x 64 are stored; the first absent chunk is 0-64_0-64_0-64" in warning
    assert report["fix"][warning].startswith(
        "if the chunks should exist, upload them from a complete copy: rsync"
    )


async def test_a_wrong_region_is_reported_with_the_right_one(tmp_path: Path, s3: S3Server) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    upload(s3, "elsewhere", tmp_path / "em", "eu-west-1")
    said = await check(tmp_path, s3_text(s3.url, "elsewhere", 'region = "us-west-2"'), "--deep")
    assert said.code == 0, said
    assert "warning the bucket lies in region eu-west-1, not in us-west-2 as configured" in said.out
    assert '    fix: region = "eu-west-1"\n' in said.out
    assert "18 of 18 chunks" in said.out


async def test_the_fix_for_a_redirect_is_a_command_that_finds_the_region(tmp_path: Path) -> None:
    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=301, text="<Error><Code>PermanentRedirect</Code></Error>")

    async with serve(redirect) as server:
        said = await check(tmp_path, s3_text(server.url, "moved", 'region = "us-west-2"'))
    assert said.code == 1
    assert (
        "problem s3://moved/em/info cannot be read: it redirects, as for a bucket of another region"
        in said.out
    )
    fix = (
        "correct region, endpoint or ca_bundle of [store.em]; to check: aws s3api head-bucket --bucket moved"
    )
    assert f"fix: {fix} --endpoint-url {server.url}\n" in said.out


async def test_the_fix_for_a_forbidden_bucket_is_a_policy(tmp_path: Path) -> None:
    async def forbid(_: web.Request) -> web.Response:
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")

    async with serve(forbid) as server:
        said = await check(tmp_path, s3_text(server.url, "locked"))
        google = '[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "gs://locked/em"\n'
        by_google = await check(tmp_path, f'{google}anonymous = true\nendpoint = "{server.url}"\n')
    assert said.code == 1
    assert "problem s3://locked/em/info cannot be read: the credentials may not read it" in said.out
    assert "fix: check the credentials; allow s3:GetObject on arn:aws:s3:::locked/em/* and s3" in said.out
    assert "listing is forbidden, so that S3 answers 403 where a chunk is missing" in said.out
    assert "fix: allow s3:ListBucket\n" in said.out  # where nothing can be read, 403 does not mean absent
    assert by_google.code == 1
    assert "fix: gcloud storage buckets add-iam-policy-binding gs://locked " in by_google.out
    assert "--role=roles/storage.objectViewer" in by_google.out


async def test_the_fix_for_missing_credentials_is_a_login(tmp_path: Path) -> None:
    nobody = {name: value for name, value in KEYS.items() if "KEY" not in name}
    said = await check(tmp_path, s3_text("http://localhost:1", "locked"), environ=nobody)
    assert said.code == 1
    assert re.search("problem .*no AWS credentials", said.out)
    assert "fix: aws configure; or, if the bucket is public, [store.em] anonymous = true" in said.out


def without_listing(directory: Path) -> Handler:
    """Return an S3 server that allows reading only, so that it answers 403 for an absent object."""
    serve_file = serve_directory(directory)

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await serve_file(request) if request.method == "GET" else None
        return response if response and response.status != 404 else web.Response(status=403)

    return handle


async def test_a_bucket_that_cannot_be_listed_is_counted_by_reading(tmp_path: Path) -> None:
    write_volume(tmp_path / "bucket" / "em", VolumeSpec(holes=((1, 1, 1),)))
    async with serve(without_listing(tmp_path)) as server:
        said = await check(tmp_path, s3_text(server.url, "bucket", "missing_status = [403, 404]"), "--deep")
        refused = await check(tmp_path, s3_text(server.url, "bucket"), "--deep")
    assert said.code == 0, said
    assert "scale 0: 17 of 18 chunks of 64 x 64 x 64 are stored" in said.out
    assert "the first absent chunk is 64-128_64-128_64-100" in said.out
    assert refused.code == 1
    assert re.search("problem scale 0 cannot be counted: .*set missing_status", refused.out)


async def test_damaged_chunks_are_reported_with_the_upload_that_fixes_them(
    tmp_path: Path, s3: S3Server
) -> None:
    write_volume(tmp_path / "em", VolumeSpec(encoding="jpeg"))
    chunks = tmp_path / "em" / "s0"
    (chunks / "0-64_0-64_0-64").write_bytes((chunks / "0-64_0-64_0-64").read_bytes()[:99])
    (chunks / "128-150_0-64_0-64").write_bytes(b"")
    (chunks / "150-214_0-64_0-64").write_bytes(b"of a larger volume")
    upload(s3, "damaged", tmp_path / "em")
    said = await check(tmp_path, s3_text(s3.url, "damaged"), "--deep")
    assert said.code == 1
    assert re.search(r"problem scale 0: s3://damaged/em/s0/0-64_0-64_0-64: .*JPEG", said.out)
    assert "problem scale 0: s3://damaged/em/s0/128-150_0-64_0-64: chunk is empty (0 bytes)" in said.out
    upload_again = f"aws s3 cp --recursive SOURCE s3://damaged/em --endpoint-url {s3.url}"
    assert f"fix: upload it again from a good copy: {upload_again}\n" in said.out
    assert "warning scale 0: 1 stored chunks do not belong to the scale that the info describes, " in said.out
    assert "for example 150-214_0-64_0-64" in said.out


async def test_a_missing_and_a_malformed_info_have_different_fixes(tmp_path: Path) -> None:
    for name in ("broken", "gone", "strange"):
        write_volume(tmp_path / name, VolumeSpec(scale_levels=2))
    (tmp_path / "broken" / "info").write_text('{"scales": ')
    (tmp_path / "gone" / "info").unlink()
    info: dict[str, Any] = json.loads((tmp_path / "strange" / "info").read_text())
    info["scales"][1]["encoding"] = "brotli-magic"
    (tmp_path / "strange" / "info").write_text(json.dumps(info))
    text = config_text({name: tmp_path / name for name in ("broken", "gone", "strange")})
    said = await check(tmp_path, text, "--json")
    assert said.code == 1
    fixes = [next(iter(json.loads(line)["fix"].values())) for line in said.out.splitlines()]
    assert fixes == [
        f"correct the info and upload it again: cp info {tmp_path}/broken/info",
        f'correct [store.gone] ref = "file://{tmp_path}/gone"; to see what is there: ls -l {tmp_path}/gone',
        (
            "rewrite that scale in a supported form, or remove it from the info: "
            f"cp info {tmp_path}/strange/info"
        ),
    ]


async def test_a_wrong_configuration_is_one_line_on_stderr_and_exit_code_2(tmp_path: Path) -> None:
    said = await check(tmp_path, "[store.em]\nengine = 'ngprecomputed'\n", "--deep")
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
