"""The values of a store: refs, instances, block sizes, statuses."""

from pathlib import Path

import pytest

from dvidpc.storage.ref import ALLOWED
from tests.config.files import STORE, error_of, load


@pytest.mark.parametrize(
    "ref",
    [
        "s3://b",
        "s3://b/p/q/",
        "gs://b/p",
        "vast://vast.example.org/b/p",
        "http://localhost:8080/v",
        "https://h/v",
        "file:///v",
        "file://localhost/v",
        "/v",
        "/v//w:x",
        "precomputed://s3://b/p",
        "gs://b/p/|neuroglancer-precomputed:",
        "gs://b/p/info",
        "b",
        "b/p",
    ],
)
def test_every_kind_of_ref_is_taken_as_it_is(tmp_path: Path, ref: str) -> None:
    assert load(tmp_path, STORE.replace("s3://bucket/em", ref)).stores[0].ref.text == ref


INSTANCES = [
    ("", "an instance needs a name"),
    ("a/b", 'the string "a/b" cannot be part of a URL path (no spaces, none of / ? # % \\)'),
    ("a b", 'the string "a b" cannot be part of a URL path (no spaces, none of / ? # % \\)'),
    ("..", 'the string ".." cannot be part of a URL path (no spaces, none of / ? # % \\)'),
    *(
        (word, f'"{word}" is reserved: it is part of DVID\'s own routes')
        for word in ("log", "branch", "note", "commit", "newversion", "status", "tag")
    ),
]


@pytest.mark.parametrize(("name", "reason"), INSTANCES)
def test_name_that_cannot_be_an_instance_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    message = error_of(tmp_path, STORE.replace('"em"', f'"{name}"'))
    assert message == f'[store.em] instance: {reason}; write for example instance = "sample1"'


REFS = [
    ("", 'expected a string with the volume\'s location, got the string ""'),
    (" s3://b/p", "the string begins with SPACE (U+0020); remove it"),
    ("s3://b/p ", "the string ends with SPACE (U+0020); remove it"),
    ("s3://b/p\u00a0", "the string ends with NO-BREAK SPACE (U+00A0); remove it"),
    ("s3://b/\u200bp", "the string holds ZERO WIDTH SPACE (U+200B); remove it"),
    ("s3://b/p\\n", "the string ends with a control character (U+000A); remove it"),
    ("gcs://b/p", f"unknown service 'gcs'; did you mean gs://? Allowed: {ALLOWED}"),
    ("S3://b/p", f"unknown service 'S3'; did you mean s3://? Allowed: {ALLOWED}"),
    ("precomputed://s4://b/p", f"unknown service 's4'; allowed: {ALLOWED}"),
    ("s3://", f"'s3://' names no bucket; allowed: {ALLOWED}"),
    ("s3:///p", f"'s3:///p' names no bucket; allowed: {ALLOWED}"),
    ("file://v", "'file://' is not followed by / and a path; write file:///path, with three slashes"),
    ("./v", "'./v' is a relative path, and only an absolute one is allowed"),
    ("~/v", "'~/v' is a relative path, and only an absolute one is allowed"),
    ("s3:/b/p", f"'s3:/b/p' is neither a URL, an absolute path nor a bucket/prefix; allowed: {ALLOWED}"),
    ("s3://b/a/../p", "the prefix of 's3://b/a/../p' has an empty part, '.' or '..'"),
    ("s3://b?region=x", "holds a query ('?'); use the keys region, endpoint and profile instead"),
    ("s3://b/p#x", "holds a '#', which begins a fragment in a URL; rename that directory"),
    ("s3://me:secret@b", "holds a credential before '@'; give it by the key profile or the environment"),
]


@pytest.mark.parametrize(("ref", "reason"), REFS)
def test_ref_that_leads_nowhere_is_refused(tmp_path: Path, ref: str, reason: str) -> None:
    message = error_of(tmp_path, STORE.replace("s3://bucket/em", ref))
    advice = 'write for example ref = "s3://mybucket/sample1/image_aligned/"'
    assert message == f"[store.em] ref: {reason}; {advice}"


@pytest.mark.parametrize("key", ["region", "profile", "user_project"])
def test_names_with_stray_characters_are_refused(tmp_path: Path, key: str) -> None:
    message = error_of(tmp_path, f'{STORE}\n{key} = "us-east-1\u00a0"\n')
    assert message.startswith(f"[store.em] {key}: the string ends with NO-BREAK SPACE (U+00A0); remove it")


def test_root_is_refused_for_the_reasons_of_a_ref(tmp_path: Path) -> None:
    message = error_of(tmp_path, STORE + 'root = "gcs://bucket"\n')
    assert message.startswith("[store.em] root: unknown service 'gcs'; did you mean gs://?")
    assert message.endswith('; write for example root = "s3://mybucket/public"')


WHOLE = "expected scales as whole numbers from 0, the first of the info"
WRONG = [
    (
        STORE + "block_size = 0\n",
        '[store.em] block_size: expected an integer from 1 to 1024 or "chunk", got the integer 0',
        "write for example block_size = 64",
    ),
    (
        STORE + "missing_status = [404, 500]\n",
        "[store.em] missing_status: expected statuses from 400 to 499, got the integer 500",
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "missing_status = [403]\n",
        "[store.em] missing_status: 404 is not in the list, and always means that an object is missing",
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "missing_status = [404, 429]\n",
        "[store.em] missing_status: 429 asks for a retry, it never means that an object is missing",
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "skip_scales = 0\n",
        "[store.em] skip_scales: expected an array of scales, got the integer 0",
        "write for example skip_scales = [0]",
    ),
    *(
        (
            STORE + f"skip_scales = [{value}]\n",
            f"[store.em] skip_scales: {WHOLE}, got {words}",
            "write for example skip_scales = [0]",
        )
        for value, words in (
            ("-1", "the integer -1"),
            ("true", "the boolean true"),
            ("'s0'", 'the string "s0"'),
            ("1.0", "the float 1.0"),
        )
    ),
    (
        STORE + "path_style = 'yes'\n",
        '[store.em] path_style: expected true, false or "auto", got the string "yes"',
        "write for example path_style = true",
    ),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_value_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"
