"""A fix is a line to paste: a key of the configuration or a command of the storage vendor."""

from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.check.fixes import Fixes
from dvidpc.config import StoreConfig
from dvidpc.errors import ConfigError, CredentialsError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.http.http_errors import error_of
from dvidpc.storage.http.service import Refusal
from dvidpc.storage.ref import parse_ref

S3 = StoreConfig("em", parse_ref("s3://bucket/a b/em"), profile="lab")
VAST = StoreConfig("em", parse_ref("vast://vast.lab.org/bucket/em"))
GOOGLE = StoreConfig("em", parse_ref("bucket/em"))
WEB = StoreConfig("em", parse_ref("https://lab.org/em"))
FILE = StoreConfig("em", parse_ref("/data/my em"))


@pytest.mark.parametrize(
    ("store", "command"),
    [
        (S3, "aws s3 cp --recursive SOURCE 's3://bucket/a b/em' --profile lab"),
        (VAST, "aws s3 cp --recursive SOURCE s3://bucket/em --endpoint-url https://vast.lab.org"),
        (GOOGLE, "gcloud storage rsync -r --checksums-only SOURCE gs://bucket/em"),
        (WEB, "upload SOURCE to https://lab.org/em"),
        (FILE, "rsync -a --checksum SOURCE/ '/data/my em'/"),
    ],
)
def test_absent_chunks_are_uploaded_by_a_command_of_the_vendor(store: StoreConfig, command: str) -> None:
    assert (
        Fixes(store).of_absence()
        == f"if the chunks should exist, upload them from a complete copy: {command}"
    )


@pytest.mark.parametrize(
    ("store", "start"),
    [
        (S3, "allow s3:GetObject on arn:aws:s3:::bucket/a b/em/* and s3:ListBucket on arn:aws:s3:::bucket"),
        (GOOGLE, "gcloud storage buckets add-iam-policy-binding gs://bucket --member"),
        (WEB, "allow anonymous access in the web server"),
        (FILE, "chmod -R a+rX '/data/my em'"),
    ],
)
def test_a_refusal_is_fixed_by_access_rights(store: StoreConfig, start: str) -> None:
    assert Fixes(store).of_error(StoreRefusedError("no", 403)).startswith(start)


def test_rights_at_another_vendor_are_not_aws_users() -> None:
    fix = Fixes(VAST).of_error(StoreRefusedError("no", 403))
    assert fix.startswith("check the credentials; allow s3:GetObject on arn:aws:s3:::bucket/em/*")
    assert "aws iam" not in fix
    assert fix.endswith(
        "put-bucket-policy --bucket bucket --policy file://POLICY --endpoint-url https://vast.lab.org"
    )


def test_commands_trust_the_bundle_of_the_store() -> None:
    store = replace(VAST, ca_bundle=Path("/etc/our ca.pem"))
    assert (
        Fixes(store)
        .of_absence()
        .endswith("--endpoint-url https://vast.lab.org --ca-bundle '/etc/our ca.pem'")
    )


def test_credentials_that_cannot_be_looked_up_are_fixed_where_they_come_from() -> None:
    assert Fixes(S3).of_error(CredentialsError("no", "run it by hand")) == "run it by hand"
    assert Fixes(S3).of_error(CredentialsError("no")).startswith("aws configure --profile lab; or")


def test_missing_credentials_are_fixed_by_a_login() -> None:
    error = StoreRefusedError("no")
    assert Fixes(S3).of_error(error).startswith("aws configure --profile lab; or, if the bucket")
    assert (
        Fixes(GOOGLE).of_error(error).startswith("gcloud auth application-default login; or, if the bucket")
    )


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("ExpiredToken", "aws configure --profile lab"),
        ("InvalidAccessKeyId", "aws configure --profile lab"),
        ("NoSuchBucket", "correct [store.em] ref = "),
        ("RequestTimeTooSkewed", "set the clock of this machine"),
        ("SecondLevelDomainForbidden", "put the bucket into the host name: [store.em] path_style = false"),
        ("UserProjectMissing", "name the project to bill: [store.em] user_project"),
        ("InvalidToken", "aws configure --profile lab"),
        ("InvalidTokenId", "aws configure --profile lab"),
        ("InvalidSecurity", "aws configure --profile lab"),
        ("TokenRefreshRequired", "aws configure --profile lab"),
        ("InvalidRequest", "write it again with a key that the service keeps itself: aws s3 cp"),
        ("KMS.DisabledException", "write it again with a key that the service keeps itself: aws s3 cp"),
        ("AuthorizationHeaderMalformed", "correct region, endpoint or ca_bundle of [store.em]"),
        ("InvalidObjectState", "restore it from the archive: aws s3 cp"),
        ("", "allow s3:GetObject on "),
    ],
)
def test_the_fix_follows_the_error_code_of_the_service(code: str, start: str) -> None:
    assert Fixes(S3).of_error(StoreRefusedError("no", 403, code)).startswith(start)


def test_the_fix_of_other_errors_names_the_keys_at_fault() -> None:
    fixes = Fixes(VAST)
    look_up = "aws s3api head-bucket --bucket bucket --endpoint-url https://vast.lab.org"
    assert fixes.of_error(StoreError("no")).endswith(f"of [store.em]; to check: {look_up}")
    assert "[limits] first_byte_timeout" in fixes.of_error(StoreTimeoutError("no"))
    assert "ref = " in fixes.of_error(StoreRefusedError("no", 302))
    assert fixes.of_error(ConfigError("no")).startswith("correct [store.em] of the configuration, or")


def test_a_reason_that_contains_a_fix_is_the_fix() -> None:
    fixes = Fixes(FILE)
    assert fixes.of_scale("needs it: pip install 'dvidpc[codecs]'") == "pip install 'dvidpc[codecs]'"
    assert fixes.of_scale('are no cubes, so block_size = "chunk" cannot be') == "[store.em] block_size = 64"


def test_what_stands_before_the_service_is_fixed_there() -> None:
    for store in (S3, VAST, GOOGLE, WEB):
        by_proxy = error_of("x", Refusal(403, {"X-Squid-Error": "ERR_ACCESS_DENIED 0"}))
        assert Fixes(store).of_error(by_proxy).startswith("allow the host in the rules of the proxy")
        by_gate = error_of("x", Refusal(400, {}, needs_certificate=True))
        assert Fixes(store).of_error(by_gate).startswith("let this machine in without a client certificate")
