"""Where an S3 bucket is."""

import pytest

from dvidpc.errors import ConfigError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.s3.s3_address import BucketAddress, find_path_style, locate_bucket


@pytest.mark.parametrize(
    ("access", "default", "url"),
    [
        (BucketAccess(parse_ref("s3://bkt")), None, "https://bkt.s3.eu-west-1.amazonaws.com/"),
        (BucketAccess(parse_ref("s3://b.k.t")), None, "https://s3.eu-west-1.amazonaws.com/b.k.t"),
        (BucketAccess(parse_ref("s3://Old_Name")), None, "https://s3.eu-west-1.amazonaws.com/Old_Name"),
        (
            BucketAccess(parse_ref("s3://bkt"), path_style=True),
            None,
            "https://s3.eu-west-1.amazonaws.com/bkt",
        ),
        (BucketAccess(parse_ref("s3://bkt"), endpoint="http://minio:9000/"), None, "http://minio:9000/bkt"),
        (
            BucketAccess(parse_ref("s3://bkt"), endpoint="minio:9000"),
            "http://other",
            "https://minio:9000/bkt",
        ),
        (BucketAccess(parse_ref("s3://bkt")), "https://of.the.environment", "https://of.the.environment/bkt"),
        (
            BucketAccess(parse_ref("s3://bkt"), endpoint="https://ceph", path_style=False),
            None,
            "https://bkt.ceph/",
        ),
        (BucketAccess(parse_ref("vast://vast.local/bkt")), "http://other", "https://vast.local/bkt"),
        (BucketAccess(parse_ref("vast://http://vast.local/bkt")), None, "http://vast.local/bkt"),
    ],
)
def test_bucket_is_located(access: BucketAccess, default: str | None, url: str) -> None:
    address = locate_bucket(access.ref, access, default_endpoint=default, region="eu-west-1")
    assert address.url == url


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({}, None),
        ({"s3": {"addressing_style": "path"}}, True),
        ({"s3": {"addressing_style": "virtual"}}, False),
        ({"s3": {"addressing_style": "auto"}}, None),
        ({"s3": "addressing_style"}, None),
    ],
)
def test_addressing_style_of_a_profile_is_read(profile: dict[str, object], *, expected: bool | None) -> None:
    assert find_path_style(profile) is expected


@pytest.mark.parametrize(
    ("configured", "default", "url"),
    [
        (None, False, "http://bkt.minio:9000/"),
        (True, False, "http://minio:9000/bkt"),
        (False, True, "http://bkt.minio:9000/"),
        (None, None, "http://minio:9000/bkt"),
    ],
)
def test_configuration_comes_before_the_profile(
    url: str, *, configured: bool | None, default: bool | None
) -> None:
    access = BucketAccess(parse_ref("s3://bkt"), endpoint="http://minio:9000", path_style=configured)
    address = locate_bucket(
        access.ref, access, default_endpoint=None, region=None, default_path_style=default
    )
    assert address.url == url


def test_china_has_its_own_domain() -> None:
    address = BucketAddress("bkt", "cn-north-1", None, path_style=False)
    assert address.url == "https://bkt.s3.cn-north-1.amazonaws.com.cn/"


def test_two_different_endpoints_are_refused() -> None:
    access = BucketAccess(parse_ref("vast://vast.local/bkt"), endpoint="https://other")
    with pytest.raises(ConfigError, match="another endpoint"):
        locate_bucket(access.ref, access, default_endpoint=None, region=None)


def test_identity_names_the_endpoint_only_where_it_is_not_aws() -> None:
    url = "s3://bkt/em"
    aws = BucketAddress("bkt", "eu-west-1", None, path_style=False)
    assert aws.identify(url) == BucketAddress("bkt", "us-east-1", None, path_style=True).identify(url) == url
    other = BucketAddress("bkt", "us-east-1", "http://minio:9000", path_style=True)
    assert other.identify(url) == "http://minio:9000 s3://bkt/em"
