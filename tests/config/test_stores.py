"""The store tables: engines, instances, and a root that contains its ref."""

import subprocess
import sys
from pathlib import Path

import pytest

from dvidpc.config import StoreConfig
from dvidpc.formats.precomputed.annotation_settings import End, Kind, MemberName
from dvidpc.storage.ref import parse_ref
from tests.config.files import STORE, error_of, load


def test_stores_stand_in_the_files_order_with_their_keys(tmp_path: Path) -> None:
    text = """
[store.z]
engine = "ngprecomputed"
ref = "bucket/prefix"
instance = "z"
uuid = "28841c"
testing = true
endpoint = "http://localhost:9000"
region = "eu-west-1"
profile = "lab"
anonymous = true
path_style = true
requester_pays = true
user_project = "billing"
block_size = "chunk"
missing_status = [403, 404]
skip_scales = [1, 0, 1]
sync = "a"
voxel_size = [8, 8.0, 40]
kind = ["PreSyn", "PostSyn"]
bodies = { pre = "a", post = "b" }
tags = { roi = "{}", user = "user:{}" }
props = { score = "conf", pre_confidence = "a:conf", junk = "" }
margin = 1.5
[store.a]
engine = "ngprecomputed"
ref = "file:///volumes/a"
instance = "a"
path_style = "auto"
"""
    z, a = load(tmp_path, text).stores
    assert z == StoreConfig(
        alias="z",
        ref=parse_ref("bucket/prefix"),
        instance="z",
        uuid="28841c",
        testing=True,
        endpoint="http://localhost:9000",
        region="eu-west-1",
        profile="lab",
        anonymous=True,
        path_style=True,
        requester_pays=True,
        user_project="billing",
        block_size=None,
        missing_status=frozenset({403, 404}),
        skip_scales=frozenset({0, 1}),
        sync="a",
        voxel_size=(8.0, 8.0, 40.0),
        kind=(Kind.PRE_SYN, Kind.POST_SYN),
        bodies=(("pre", End.A), ("post", End.B)),
        tags=(("roi", "{}"), ("user", "user:{}")),
        props=(
            ("score", MemberName("conf")),
            ("pre_confidence", MemberName("conf", End.A)),
            ("junk", MemberName("")),
        ),
        margin=1.5,
    )
    assert a == StoreConfig("a", parse_ref("file:///volumes/a"), instance="a")


WARNED = [
    (
        STORE.replace('instance = "em"', ""),
        '[store.em] has no instance and is not served; write for example instance = "sample1"',
    ),
    (
        STORE + STORE.replace('em"', 'em_1"').replace("[store.em]", "[store.more]"),
        (
            '[store.more] instance: "em_1" is also the name of a scale of [store.em] '
            "if that volume has enough scales; rename one of them"
        ),
    ),
    (
        STORE + '[store.x]\nengine = "zzz"\n',
        '[store.x] engine: unknown engine "zzz", the store is ignored',
    ),
]


@pytest.mark.parametrize(("text", "warning"), WARNED)
def test_probable_mistakes_are_warned_of(tmp_path: Path, text: str, warning: str) -> None:
    assert load(tmp_path, text).warnings == (warning,)


WRONG = [
    (
        "[server]\n",
        "[store]: no volume to serve",
        'write [store.mystorage] with engine = "ngprecomputed", ref and instance',
    ),
    (
        "[store.x]\nengine = 'badger'\npath = '/x'\n",
        "[store]: no volume to serve",
        'write [store.mystorage] with engine = "ngprecomputed", ref and instance',
    ),
    (
        "[store]\nengine = 'ngprecomputed'\n",
        "[store] engine: is not in a table of its own",
        "write it below a line such as [store.mystorage]",
    ),
    (
        "[store.x]\nref = 's3://b'\n",
        "[store.x] engine: is missing, every store needs one",
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nEngine = 'ngprecomputed'\n",
        '[store.x] engine: is missing, found "Engine"',
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nengine = 5\n",
        "[store.x] engine: expected a string, got the integer 5",
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nengine = 'ngprecompute'\n",
        '[store.x] engine: unknown engine "ngprecompute"',
        'did you mean "ngprecomputed"?',
    ),
    (
        "[store.x]\nengine = 'ngprecomputed'\n",
        "[store.x] ref: is missing",
        'write for example ref = "s3://mybucket/sample1/image_aligned/"',
    ),
    (STORE + "anonimous = true\n", "[store.em] anonimous: unknown key", 'did you mean "anonymous"?'),
    (
        STORE + STORE.replace("[store.em]", "[store.again]"),
        '[store.again] instance: "em" is already the instance of [store.em]',
        "rename one of them",
    ),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_store_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"


def test_root_is_where_keys_start(tmp_path: Path) -> None:
    (store,) = load(
        tmp_path, STORE.replace("bucket/em", "bucket/a/b/em") + 'root = "s3://bucket/a/"\n'
    ).stores
    assert store.ref.text == "s3://bucket/a/b/em"
    assert (store.ref.root.url, store.ref.directory) == ("s3://bucket/a", "b/em")


@pytest.mark.parametrize("root", ["", None])
def test_root_is_the_bucket_where_none_is_named(tmp_path: Path, root: str | None) -> None:
    (store,) = load(tmp_path, STORE if root is None else STORE + f'root = "{root}"\n').stores
    assert (store.ref.root.url, store.ref.directory) == ("s3://bucket", "em")


ROOTS = [
    ("s3://other", "'s3://bucket/em' does not lie below the root 's3://other'"),
    ("s3://bucket/e", "'s3://bucket/em' does not lie below the root 's3://bucket/e'"),
    ("gs://bucket", "'s3://bucket/em' does not lie below the root 'gs://bucket'"),
    ("/bucket", "'s3://bucket/em' does not lie below the root 'file:///bucket'"),
]


@pytest.mark.parametrize(("root", "reason"), ROOTS)
def test_root_that_does_not_contain_the_ref_is_refused(tmp_path: Path, root: str, reason: str) -> None:
    message = error_of(tmp_path, STORE + f'root = "{root}"\n')
    assert message == f"[store.em] root: {reason}; write a root that contains ref, or remove it"


@pytest.mark.parametrize("command", ["serve", "check"])
def test_command_ends_with_one_line_and_code_2_if_the_root_is_wrong(tmp_path: Path, command: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(STORE + 'root = "s3://other"\n')
    done = subprocess.run(
        [sys.executable, "-m", "dvidpc", command, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"dvidpc: {path}: [store.em] root: 's3://bucket/em' does not lie below the root 's3://other'; "
        "write a root that contains ref, or remove it\n"
    )


def test_a_sync_that_is_no_other_store_is_refused(tmp_path: Path) -> None:
    message = error_of(tmp_path, STORE + 'sync = "em"\n')
    reason = '[store.em] sync: "em" is not the instance of another store'
    assert message == f'{reason}; write for example sync = "segmentation"'
    other = STORE.replace("[store.em]", "[store.seg]").replace('"em"', '"segments"')
    assert error_of(tmp_path, other + STORE + 'sync = "segment"\n').endswith('sync = "segments"')
    assert load(tmp_path, other + STORE + 'sync = "segments"\n').stores[1].sync == "segments"
