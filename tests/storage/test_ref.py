"""Refs as DVID writes them, and those it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import ConfigError
from dvidpc.storage.ref import Kind, Ref, parse_endpoint, parse_ref

REFS = {
    "s3://mybucket/sample1/image_aligned/": Ref(Kind.S3, "mybucket", "sample1/image_aligned"),
    "s3://mybucket": Ref(Kind.S3, "mybucket", ""),
    "s3://my.bucket/a/": Ref(Kind.S3, "my.bucket", "a"),
    "precomputed://gs://bucket/a": Ref(Kind.GCS, "bucket", "a"),
    "neuroglancer-precomputed://bucket/a": Ref(Kind.GCS, "bucket", "a"),
    "gs://bucket/a/|neuroglancer-precomputed:": Ref(Kind.GCS, "bucket", "a"),
    "s3://bucket/a|neuroglancer-precomputed://": Ref(Kind.S3, "bucket", "a"),
    "precomputed://https://example.org/a|precomputed:": Ref(Kind.HTTP, "", "a", "https://example.org"),
    "gs://bucket/a/info": Ref(Kind.GCS, "bucket", "a"),
    "s3://bucket/info": Ref(Kind.S3, "bucket", ""),
    "s3://info": Ref(Kind.S3, "info", ""),
    "vast://host/info": Ref(Kind.VAST, "info", "", "https://host"),
    "https://example.org/info": Ref(Kind.HTTP, "", "", "https://example.org"),
    "/data/em/info": Ref(Kind.FILE, "", "/data/em", root_prefix="/data"),
    "gs://bucket/info/": Ref(Kind.GCS, "bucket", "info"),
    "/data/info/": Ref(Kind.FILE, "", "/data/info", root_prefix="/data"),
    "https://example.org/a%2Fb/c": Ref(Kind.HTTP, "", "a%2Fb/c", "https://example.org", root_prefix="a%2Fb"),
    "gs://flyem-data/v1": Ref(Kind.GCS, "flyem-data", "v1"),
    "flyem_data/v1/": Ref(Kind.GCS, "flyem_data", "v1"),
    "flyem-data": Ref(Kind.GCS, "flyem-data", ""),
    "vast://s3.example.org/bkt/a/b": Ref(Kind.VAST, "bkt", "a/b", "https://s3.example.org"),
    "vast://10.0.0.1:9000/bkt": Ref(Kind.VAST, "bkt", "", "https://10.0.0.1:9000"),
    "vast://http://10.0.0.1:9000/bkt/a/": Ref(Kind.VAST, "bkt", "a", "http://10.0.0.1:9000"),
    "https://example.org/a%20b/c/": Ref(Kind.HTTP, "", "a%20b/c", "https://example.org"),
    "http://[::1]:8000": Ref(Kind.HTTP, "", "", "http://[::1]:8000"),
    "file:///data/a%20b/": Ref(Kind.FILE, "", "/data/a b", root_prefix="/data"),
    "file://localhost/data": Ref(Kind.FILE, "", "/data", root_prefix="/"),
    "/data/a%20b/": Ref(Kind.FILE, "", "/data/a%20b", root_prefix="/data"),
    "/": Ref(Kind.FILE, "", "/", root_prefix="/"),
}


@pytest.mark.parametrize("text", REFS)
def test_ref_is_read(text: str) -> None:
    assert parse_ref(text) == REFS[text]
    assert parse_ref(text).text == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gcs://bucket/a", "did you mean gs://"),
        ("gcs://bucket", "did you mean gs://"),
        ("S3://bucket", "did you mean s3://"),
        ("ftp://host/a", "unknown service 'ftp'; allowed: s3://"),
        ("//bucket/a", "allowed: s3://"),
        ("", "names no bucket"),
        ("./here", "is a relative path"),
        ("~/here", "is a relative path"),
        ("s3://", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("vast://host", "names no bucket"),
        ("vast:///bucket", "endpoint"),
        ("s3://bucket/a/../b", "'..'"),
        ("s3://bucket/a//b", "empty part"),
        ("s3://bucket//a", "empty part"),
        ("s3://bucket/a//", "empty part"),
        ("gs://bucket//", "empty part"),
        ("vast://host/bucket//a", "empty part"),
        ("https://host//a", "empty part"),
        ("https://host/a//", "empty part"),
        ("s3://bucket/a#b", "a '#', which begins a fragment"),
        ("https://host/a#", "followed by a fragment ('#')"),
        ("https://host/a?", "followed by a query ('?')"),
        ("zarr://gs://bucket/a", "is of another format"),
        ("gs://bucket/a|zarr3:", "another format"),
        ("gs://bucket/a|", "another format"),
        ("s3://bucket?region=eu-west-1", "use the keys region"),
        ("https://", "names no host"),
        ("https://host:port/a", "is not a URL"),
        ("bucket//a", "neither a URL, an absolute path nor a bucket/prefix"),
        ("s3:/bucket/a", "neither a URL, an absolute path nor a bucket/prefix"),
        ("https://host/a%2F%2Fb", "empty part"),
        ("file:///data/a%00b", "NUL"),
        ("s3://bucket/" + "x/" * 200 + "\n/../", "..."),
        ("file://data/a", "three slashes"),
        ("file://data", "three slashes"),
    ],
)
def test_other_refs_are_refused_in_one_clear_line(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_ref(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@host/a",
        "s3://me:hunter2@bucket/a",
        "me:hunter2@bucket/a",
        "file://me:hunter2@host/a",
        "s3://bucket/a?secret=hunter2",
        "vast://me:hunter2@host/bucket",
        "vast://http://me:hunter2@host/bucket",
        "https://host/a?token=hunter2",
        "https://host/a#hunter2",
    ],
)
def test_credentials_in_a_ref_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_ref(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", REFS)
def test_url_leads_back_to_the_ref(text: str) -> None:
    ref = parse_ref(text)
    assert parse_ref(ref.url) == ref


def test_endpoint_without_a_scheme_is_https() -> None:
    assert parse_endpoint("play.min.io:9000") == "https://play.min.io:9000"
    assert parse_endpoint("http://127.0.0.1:9000/") == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    "text",
    ["", "ftp://host", "https://", "https://u:p@host", "https://host?a=b", "a b", "https://host:0"],
)
def test_other_endpoints_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("ref", "root", "expected"),
    [
        ("s3://bucket/a/b", None, ("s3://bucket", "a/b")),
        ("s3://bucket/a/b", "s3://bucket/a", ("s3://bucket/a", "b")),
        ("s3://bucket/a", "s3://bucket/a", ("s3://bucket/a", "")),
        ("bucket/a", None, ("gs://bucket", "a")),
        ("vast://store.org/bucket/a", None, ("vast://https://store.org/bucket", "a")),
        ("https://host/a%20b/c", None, ("https://host", "a b/c")),
        ("https://host/a%2Fb/c/d", None, ("https://host/a%2Fb", "c/d")),
        ("https://host/x/a%2fb", None, ("https://host/x/a%2fb", "")),
        ("gs://bucket/a/info/", "gs://bucket/a", ("gs://bucket/a", "info")),
        ("file:///data/em/volume", None, ("file:///data/em", "volume")),
        ("/data/em/volume/", "/data", ("file:///data", "em/volume")),
        ("/data", None, ("file:///", "data")),
        ("/", None, ("file:///", "")),
    ],
)
def test_a_ref_is_split_at_its_root(ref: str, root: str | None, expected: tuple[str, str]) -> None:
    parsed = parse_ref(ref) if root is None else parse_ref(ref).with_root(parse_ref(root))
    assert (parsed.root.url, parsed.directory) == expected
    assert parsed.text == ref
    assert (parsed.root.root, parsed.root.directory) == (parsed.root, "")


@pytest.mark.parametrize(
    ("ref", "root"),
    [
        ("s3://bucket/ab", "s3://bucket/a"),
        ("s3://bucket/a", "s3://other"),
        ("s3://bucket/a", "gs://bucket"),
        ("/data/em", "/data/em2"),
        ("/data/em", "s3://data"),
        ("https://host/a/..%2Fb", "https://host/a"),
    ],
)
def test_a_ref_outside_of_its_root_is_refused(ref: str, root: str) -> None:
    with pytest.raises(ConfigError, match="does not lie below the root"):
        parse_ref(ref).with_root(parse_ref(root))


def test_a_root_cannot_lie_above_an_encoded_slash() -> None:
    with pytest.raises(ConfigError, match="has a %2F behind the root"):
        parse_ref("https://host/a%2Fb/c").with_root(parse_ref("https://host"))


def test_refs_are_equal_if_they_name_the_same_place_below_the_same_root() -> None:
    ref = parse_ref("gs://bucket/a/b")
    assert ref == parse_ref("bucket/a/b/")
    assert ref != ref.with_root(parse_ref("bucket/a"))


SERVICES = [
    "",
    "s3://",
    "gs://",
    "vast://h/",
    "vast://",
    "http://",
    "https://h/",
    "file://",
    "file:///",
    "/",
    "x://",
]
REST = st.lists(
    st.sampled_from(
        ["a", "b", "info", "|", "/", "//", ".", "..", "%2F", "%25", "%", ":", "@", "?", "#", "é", "\n"]
    )
)


@given(st.sampled_from(SERVICES), REST.map("".join) | st.text(max_size=20))
def test_any_text_is_refused_in_one_line_or_names_a_place_below_its_root(service: str, rest: str) -> None:
    ref, reason = parsed_or_refused(service + rest)
    assert "\n" not in reason
    if ref is not None:
        assert parse_ref(ref.url) == ref
        assert ref.with_root(ref.root) == ref
        assert ".." not in ref.directory.split("/")


def parsed_or_refused(text: str) -> tuple[Ref | None, str]:
    try:
        return parse_ref(text), ""
    except ConfigError as error:
        return None, str(error)
