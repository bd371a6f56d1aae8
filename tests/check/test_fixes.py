"""What mends a volume is a line that can be pasted, of the service that holds it."""

import pytest

from dvidpc.check.fixes import Fixes
from dvidpc.config import StoreConfig
from dvidpc.errors import ConfigError, StoreError, StoreRefusedError, StoreTimeoutError
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
        (WEB, "upload SOURCE as https://lab.org/em"),
        (FILE, "rsync -a --checksum SOURCE/ '/data/my em'/"),
    ],
)
def test_absent_chunks_are_uploaded_by_the_vendors_command(store: StoreConfig, command: str) -> None:
    assert Fixes(store).of_absence() == f"if they should be there, upload the rest: {command}"


@pytest.mark.parametrize(
    ("store", "start"),
    [
        (S3, "allow s3:GetObject on arn:aws:s3:::bucket/a b/em/* and s3:ListBucket on arn:aws:s3:::bucket"),
        (GOOGLE, "gcloud storage buckets add-iam-policy-binding gs://bucket --member"),
        (WEB, "let the web server give the files to everybody"),
        (FILE, "chmod -R a+rX '/data/my em'"),
    ],
)
def test_refusal_is_mended_by_rights(store: StoreConfig, start: str) -> None:
    assert Fixes(store).of_error(StoreRefusedError("no", 403)).startswith(start)


def test_lack_of_credentials_is_mended_by_a_login() -> None:
    error = StoreRefusedError("no")
    assert Fixes(S3).of_error(error).startswith("aws configure --profile lab; or, if everybody")
    assert Fixes(GOOGLE).of_error(error).startswith("gcloud auth application-default login; or")


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("ExpiredToken", "aws configure --profile lab"),
        ("InvalidAccessKeyId", "aws configure --profile lab"),
        ("NoSuchBucket", "correct [store.em] ref = "),
        ("RequestTimeTooSkewed", "set the clock of this machine"),
        ("SecondLevelDomainForbidden", "put the bucket into the host name: [store.em] path_style = false"),
        ("UserProjectMissing", "say who pays: [store.em] user_project"),
        ("InvalidObjectState", "take it out of the archive: aws s3 cp"),
        ("", "allow s3:GetObject on "),
    ],
)
def test_a_reason_that_the_service_gives_is_what_is_mended(code: str, start: str) -> None:
    assert Fixes(S3).of_error(StoreRefusedError("no", 403, code)).startswith(start)


def test_other_errors_name_the_keys_at_fault() -> None:
    fixes = Fixes(VAST)
    look_up = "aws s3api head-bucket --bucket bucket --endpoint-url https://vast.lab.org"
    assert fixes.of_error(StoreError("no")).endswith(f"of [store.em]; look with: {look_up}")
    assert "[limits] first_byte_timeout" in fixes.of_error(StoreTimeoutError("no"))
    assert "ref = " in fixes.of_error(StoreRefusedError("no", 302))
    assert fixes.of_error(ConfigError("no")) == "correct [store.em] of the configuration"


def test_reason_that_names_its_remedy_is_taken_at_its_word() -> None:
    fixes = Fixes(FILE)
    assert fixes.of_scale("needs it: pip install 'dvidpc[codecs]'") == "pip install 'dvidpc[codecs]'"
    assert fixes.of_scale('are no cubes, so block_size = "chunk" cannot be') == "block_size = 64"
