"""Refs as DVID writes them, and those it refuses."""

import pytest

from dvidpc.errors import ConfigError
from dvidpc.storage.ref import Kind, Ref, parse_endpoint, parse_ref

REFS = {
    "s3://mybucket/sample1/image_aligned/": Ref(Kind.S3, "mybucket", "sample1/image_aligned"),
    "s3://mybucket": Ref(Kind.S3, "mybucket", ""),
    "s3://my.bucket//a//": Ref(Kind.S3, "my.bucket", "a"),
    "gs://flyem-data/v1": Ref(Kind.GCS, "flyem-data", "v1"),
    "flyem_data/v1/": Ref(Kind.GCS, "flyem_data", "v1"),
    "flyem-data": Ref(Kind.GCS, "flyem-data", ""),
    "vast://s3.example.org/bkt/a/b": Ref(Kind.VAST, "bkt", "a/b", "https://s3.example.org"),
    "vast://10.0.0.1:9000/bkt": Ref(Kind.VAST, "bkt", "", "https://10.0.0.1:9000"),
    "vast://http://10.0.0.1:9000/bkt/a/": Ref(Kind.VAST, "bkt", "a", "http://10.0.0.1:9000"),
    "https://example.org/a%20b/c/": Ref(Kind.HTTP, "", "a%20b/c", "https://example.org"),
    "http://[::1]:8000": Ref(Kind.HTTP, "", "", "http://[::1]:8000"),
    "file:///data/a%20b/": Ref(Kind.FILE, "", "/data/a b"),
    "file://localhost/data": Ref(Kind.FILE, "", "/data"),
    "/data/a%20b/": Ref(Kind.FILE, "", "/data/a%20b"),
    "/": Ref(Kind.FILE, "", "/"),
}


@pytest.mark.parametrize("text", REFS)
def test_ref_is_read(text: str) -> None:
    assert parse_ref(text) == REFS[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gcs://bucket/a", "did you mean gs://"),
        ("ftp://host/a", "unknown service 'ftp'; allowed: s3://"),
        ("//bucket/a", "allowed: s3://"),
        ("", "names no bucket"),
        ("./here", "names no bucket"),
        ("~/here", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("vast://host", "names no bucket"),
        ("vast:///bucket", "endpoint"),
        ("s3://bucket/a/../b", "'..'"),
        ("s3://bucket/a//b", "empty part"),
        ("s3://bucket?region=eu-west-1", "use the keys region"),
        ("https://", "names no host"),
        ("https://host:port/a", "is no URL"),
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


@pytest.mark.parametrize("text", [text for text in REFS if "%20" not in text and text != "/"])
def test_url_leads_back_to_the_ref(text: str) -> None:
    ref = parse_ref(text)
    assert parse_ref(ref.url) == ref


def test_endpoint_is_understood_without_a_scheme() -> None:
    assert parse_endpoint("play.min.io:9000") == "https://play.min.io:9000"
    assert parse_endpoint("http://127.0.0.1:9000/") == "http://127.0.0.1:9000"


@pytest.mark.parametrize("text", ["", "ftp://host", "https://", "https://u:p@host", "https://host?a=b"])
def test_other_endpoints_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_endpoint(text)
