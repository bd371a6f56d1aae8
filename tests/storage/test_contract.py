"""Directories, S3 and Google Cloud Storage do what every kind of store must."""

import json
from pathlib import Path

import pytest

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.opening import SUFFIXES
from dvidpc.storage.ref import parse_ref
from tests.servers import GoogleServer, S3Server, WebServer
from tests.storage.contract import Bucket, StoreContract


class TestDirectory(StoreContract):
    @pytest.fixture
    def bucket(self, tmp_path: Path) -> Bucket:
        directory = tmp_path / "volume"
        directory.mkdir()

        def put(key: str, data: bytes, encoding: str | None) -> None:
            suffix = {meaning: suffix for suffix, meaning in SUFFIXES.items()}.get(encoding or "", "")
            file = directory / (key + suffix)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)

        return Bucket(BucketAccess(parse_ref(f"file://{directory}")), put)


class TestS3(StoreContract):
    @pytest.fixture
    def bucket(self, s3_server: S3Server, bucket_name: str, dotfile: Path) -> Bucket:
        assert dotfile.exists()
        s3_server.make_bucket(bucket_name)

        def put(key: str, data: bytes, encoding: str | None) -> None:
            s3_server.put(bucket_name, f"my data/image/{key}", data, encoding)

        return Bucket(
            BucketAccess(parse_ref(f"s3://{bucket_name}/my data/image/"), endpoint=s3_server.url), put
        )


class TestGoogle(StoreContract):
    @pytest.fixture
    def bucket(
        self, google_server: GoogleServer, token_server: WebServer, bucket_name: str, tmp_path: Path
    ) -> Bucket:
        google_server.make_bucket(bucket_name)
        key_file = tmp_path / "adc.json"
        key_file.write_text(
            json.dumps(
                {
                    "type": "authorized_user",
                    "client_id": "me",
                    "client_secret": "made-up",
                    "refresh_token": "made-up",
                    "token_uri": token_server.url,
                }
            )
        )

        def put(key: str, data: bytes, encoding: str | None) -> None:
            google_server.put(bucket_name, f"image/{key}", data, encoding)

        return Bucket(
            BucketAccess(parse_ref(f"gs://{bucket_name}/image"), endpoint=google_server.url),
            put,
            {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)},
        )
