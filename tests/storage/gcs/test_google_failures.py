"""Whatever a credentials file holds or the token service answers, the reason is one line."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dvidpc.errors import CredentialsError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.gcs.google_credentials import credentials_file
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve
from tests.storage.contract import LIMITS

WORDS = "made-up-secret"
TOKEN = {"access_token": "made-up-token", "expires_in": 3600}


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


KEY = pem(rsa.generate_private_key(65537, 2048))
HEAD, TAIL = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"


def service_account(token_uri: str, private_key: object = KEY) -> dict[str, object]:
    return {
        "type": "service_account",
        "client_email": "me@example.org",
        "private_key": private_key,
        "token_uri": token_uri,
    }


def federated(token_url: str, source: object) -> dict[str, object]:
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_url,
        "credential_source": source,
    }


async def open_with(folder: Path, document: Mapping[str, object], **more: str) -> None:
    """Open a bucket, for reading and for listing, with a credentials file."""
    file = folder / "adc.json"
    file.write_text(json.dumps(document))
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file), **more}
    access = BucketAccess(parse_ref("gs://bucket"), endpoint="http://127.0.0.1:1")
    await (await open_store(access, LIMITS, environ=environ)).close()
    lister = await open_lister(access, LIMITS, environ=environ)
    assert lister is not None
    await lister.close()


async def refusal(folder: Path, document: Mapping[str, object]) -> str:
    with pytest.raises(CredentialsError) as caught:
        await open_with(folder, document)
    text = str(caught.value)
    assert "\n" not in text
    assert WORDS not in text
    assert "gs://bucket" in text
    assert "adc.json" in text
    assert ";" in text, "it says what to do"
    return text


@pytest.mark.parametrize(
    "private_key",
    [
        "",
        WORDS,
        f"{HEAD}\n{WORDS}\n{TAIL}\n",
        KEY[: len(KEY) // 2],
        KEY.replace("\n", "\\n"),
        KEY.replace("\n", " "),
        pem(ec.generate_private_key(ec.SECP256R1())),
        12,
        None,
        [KEY],
        "\u00e9" + KEY,
    ],
)
async def test_private_key_that_is_broken_is_named(tmp_path: Path, private_key: object) -> None:
    text = await refusal(tmp_path, service_account("http://127.0.0.1:1", private_key))
    assert "its private_key cannot be used" in text or "cannot be reached" in text


async def test_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(TOKEN)

    file = tmp_path / "adc.json"
    async with serve(answer) as server:
        file.write_bytes(b"\xef\xbb\xbf" + json.dumps(service_account(server.url)).encode())
        access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url)
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
        await (await open_store(access, LIMITS, environ=environ)).close()


async def test_repair_of_the_key_is_noticed(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(TOKEN)

    async with serve(answer) as server:
        await refusal(tmp_path, service_account(server.url, WORDS))
        await open_with(tmp_path, service_account(server.url))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"type": "external_account_authorized_user"}, "of the type 'external_account_authorized_user'"),
        ({"type": "gdch_service_account"}, "of the type 'gdch_service_account'"),
        ({"type": WORDS.upper()}, "names no type"),
        ({"type": ["x"]}, "names no type"),
        ({"type": 1}, "names no type"),
        ({"a": 1}, "names no type"),
        ({"type": "service_account"}, "client_email is missing"),
        ({"type": "authorized_user"}, "client_id is missing"),
        (federated("http://127.0.0.1:1", {"environment_id": "aws1"}), "'external_account' from 'aws'"),
        (federated("http://127.0.0.1:1", {"executable": {}}), "'external_account' from 'executable'"),
        (federated("http://127.0.0.1:1", {"file": "/nowhere"}), "its credential_source gives"),
        (federated("http://127.0.0.1:1", {"url": "nonsense"}), "token service cannot be reached"),
        (federated("http://127.0.0.1:1", {"url": 12}), "its credential_source gives"),
        (federated("http://127.0.0.1:1", None), "without a credential_source"),
        ({"type": "external_account", "credential_source": {"file": "x"}}, "its credential_source"),
        ({"type": "impersonated_service_account"}, "whose source is not of the type 'authorized_user'"),
        (
            {"type": "impersonated_service_account", "source_credentials": {"type": "service_account"}},
            "whose source is not of the type 'authorized_user'",
        ),
        (service_account("not a URL"), "cannot be reached"),
        (service_account("http://token.invalid/"), "cannot be reached"),
    ],
)
async def test_file_that_cannot_be_used_is_named(
    tmp_path: Path, document: dict[str, object], words: str
) -> None:
    assert words in await refusal(tmp_path, document)


async def test_workload_identity_by_file_signs(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert (await request.post())["subject_token"] == "made-up-jwt"
        return web.json_response(TOKEN)

    (tmp_path / "jwt").write_text("made-up-jwt\n")
    async with serve(answer) as server:
        await open_with(tmp_path, federated(server.url, {"file": str(tmp_path / "jwt")}))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "", "holds no token"),
        (200, "[]", "holds no token"),
        (200, "{}", "holds no token"),
        (200, f'{{"access_token": "{WORDS}", "expires_in": "soon"}}', "holds no token"),
        (200, f'{{"access_token": "{WORDS}\\nX: 1", "expires_in": 60}}', "no text that a header can hold"),
        (200, f'"{WORDS}"', "holds no token"),
        (302, WORDS, "token service answers 302"),
        (400, WORDS, "token service answers 400"),
        (403, WORDS, "if the key or the login was revoked"),
        (503, WORDS, "token service answers 503"),
    ],
)
async def test_token_service_that_answers_nonsense_is_reported(
    tmp_path: Path, status: int, body: str, words: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    async with serve(answer) as server:
        with pytest.raises(CredentialsError) as caught:
            await open_with(tmp_path, service_account(server.url))
    assert words in str(caught.value)
    assert WORDS not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    """Docker makes one where the file to mount does not exist (mozilla/experimenter issue 13320)."""
    access = BucketAccess(parse_ref("gs://bucket"), endpoint="http://127.0.0.1:1")
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path)}
    with pytest.raises(CredentialsError, match="is a directory, not a file; if it is mounted into"):
        await open_store(access, LIMITS, environ=environ)


def test_a_user_without_a_home_has_no_file_of_gclouds() -> None:
    """OpenShift runs containers as users without a name (packit issue 431)."""

    def find_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    path, is_named = credentials_file({}, find_home)
    assert not path.exists()
    assert not is_named
    assert credentials_file({"HOME": ""}, find_home) == (path, False)
