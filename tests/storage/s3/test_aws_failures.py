"""Whatever helpers, roles and dotfiles do, the reason is one line, and their repair is noticed at once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import ConfigError, CredentialsError, DvidpcError
from dvidpc.storage.base import BucketAccess, ObjectStore
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.shared import Shared
from tests.servers import WebServer, serve
from tests.storage.conftest import write_keys
from tests.storage.contract import LIMITS
from tests.storage.s3.helpers import GOOD, WORDS, Helper, with_expiry
from tests.storage.s3.s3_answers import error, found, signed_by


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    return Helper(tmp_path, tmp_path / "aws-config")


async def bucket(_: web.Request) -> web.Response:
    return found()


async def open_bucket(
    server: WebServer, shared: Shared | None = None, profile: str | None = None
) -> ObjectStore:
    access = BucketAccess(parse_ref("s3://bucket"), endpoint=server.url, region="us-east-1", profile=profile)
    return await open_store(access, LIMITS, environ={}, shared=shared)


async def refusal(opening: Callable[[], Awaitable[ObjectStore]]) -> DvidpcError:
    """What is raised, in one line that holds no secret."""
    with pytest.raises(DvidpcError) as caught:
        await opening()
    text = str(caught.value)
    assert "\n" not in text
    assert WORDS not in text
    assert "Traceback" not in text
    return caught.value


@pytest.mark.parametrize(
    ("printed", "code", "words"),
    [
        (f"Logging in as me ...\n{GOOD}", 0, "not a set of credentials"),
        (f"{GOOD}\nbye", 0, "not a set of credentials"),
        ("", 0, "not a set of credentials"),
        ("[]", 0, "not a set of credentials"),
        ("null", 0, "not a set of credentials"),
        ('"text"', 0, "not a set of credentials"),
        (b"\xff\xfe", 0, "not a set of credentials"),
        ("{}", 0, "credential_process fails"),
        (json.dumps({"Version": 2}), 0, "credential_process fails"),
        (json.dumps({"Version": 1, "AccessKeyId": "A"}), 0, "credential_process fails"),
        (GOOD, 3, "credential_process fails"),
        (with_expiry("tomorrow"), 0, "an Expiration that is not a time"),
        (with_expiry(""), 0, "credential_process"),
        (with_expiry("2001-01-01T00:00:00Z"), 0, "have expired"),
        (json.dumps({**json.loads(GOOD), "Expiration": 12}), 0, "credential_process"),
        (json.dumps({**json.loads(GOOD), "Expiration": ["x"]}), 0, "credential_process"),
        (json.dumps({**json.loads(GOOD), "AccessKeyId": ["x"]}), 0, "the AWS access key is no text"),
        (
            json.dumps({**json.loads(GOOD), "AccessKeyId": "AKID\nX-Evil: 1"}),
            0,
            "the AWS access key is no text",
        ),
    ],
)
async def test_helper_that_fails_is_named_and_its_repair_noticed(
    helper: Helper, printed: str | bytes, code: int, words: str
) -> None:
    shared = Shared()
    helper.print(printed, code=code)
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server, shared))
        assert isinstance(caught, CredentialsError)
        assert str(caught).startswith("s3://bucket: ")
        with pytest.raises(DvidpcError, match=words):
            await open_bucket(server, shared)
        helper.print(GOOD)
        store = await open_bucket(server, shared)
        assert await store.get("info", max_size=9) is not None
        await store.close()


async def test_helper_that_hangs_or_asks_a_person_is_ended(helper: Helper, tmp_path: Path) -> None:
    helper.run(f"open({str(tmp_path / 'asked')!r}, 'w').write(sys.stdin.read() or 'nothing')\ntime.sleep(60)")
    async with serve(bucket) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await open_bucket(server)
        assert (tmp_path / "asked").read_text() == "nothing"
        async with asyncio.timeout(10):
            while helper.is_running():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)


async def test_advice_is_to_run_the_helper_by_hand(helper: Helper) -> None:
    helper.print("[]")
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server))
    assert isinstance(caught, CredentialsError)
    assert caught.advice.startswith("run it by hand: it must exit with 0 and print one JSON object")
    assert str(caught).endswith(caught.advice)


async def test_program_that_is_missing_is_named(tmp_path: Path) -> None:
    config = tmp_path / "aws-config"
    config.write_text("[default]\ncredential_process = /nowhere/helper --token made-up-secret\n")
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server))
    assert "credential_process cannot be run or read: No such file or directory" in str(caught)


async def test_helper_runs_once_for_all_stores_of_a_profile(helper: Helper) -> None:
    shared = Shared()
    async with serve(bucket) as server:
        for _ in range(5):
            await (await open_bucket(server, shared)).close()
    assert helper.runs == 1


async def test_listing_says_the_same(helper: Helper) -> None:
    helper.print("[]")
    access = BucketAccess(parse_ref("s3://bucket"), endpoint="http://127.0.0.1:1", region="us-east-1")
    with pytest.raises(CredentialsError, match="credential_process gives what is not"):
        await open_lister(access, LIMITS, environ={})


async def test_helper_that_breaks_later_is_an_error_of_the_store(helper: Helper) -> None:
    expired = False

    async def answer(request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response()
        return error(403, "ExpiredToken") if expired and signed_by(request) == "AKIDTEST" else found()

    helper.print(with_expiry("2040-01-01T00:00:00Z"))
    async with serve(answer) as server:
        store = await open_bucket(server)
        assert await store.get("info", max_size=9) is not None
        expired = True
        helper.print("Logging in ...\n[]")
        with pytest.raises(DvidpcError, match="credentials have expired"):
            await store.get("info", max_size=9)
        await store.close()


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://example.org/keys", "container's credentials gives what is not a set of credentials"),
        ("not a URL", "container's credentials"),
        ("http://127.0.0.1:1/keys", "container's credentials fails"),
        ("https://keys.invalid/", "container's credentials fails"),
    ],
)
async def test_container_address_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uri: str, words: str
) -> None:
    shared = Shared()
    async with serve(bucket) as server:
        with monkeypatch.context() as patch:
            patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
            caught = await refusal(lambda: open_bucket(server, shared))
            assert words in str(caught)
            assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in str(caught)
        write_keys(tmp_path / "aws-credentials", "AKIDTEST", WORDS)
        await (await open_bucket(server, shared)).close()


@pytest.mark.parametrize(
    "answered",
    [
        web.Response(status=500, text=WORDS),
        web.Response(text=WORDS),
        web.json_response([]),
        web.json_response({"AccessKeyId": "A"}),
        web.json_response(
            {"AccessKeyId": "A", "SecretAccessKey": WORDS, "Token": "t", "Expiration": "tomorrow"}
        ),
        web.Response(status=302, headers={"Location": "http://elsewhere.invalid/"}),
    ],
    ids=["500", "text", "list", "incomplete", "no time", "redirect"],
)
async def test_container_service_that_answers_nonsense_is_reported(
    monkeypatch: pytest.MonkeyPatch, answered: web.Response
) -> None:
    async def answer(_: web.Request) -> web.Response:
        body = answered.body if isinstance(answered.body, bytes) else b""
        headers = {"Location": answered.headers["Location"]} if answered.status == 302 else {}
        return web.Response(status=answered.status, body=body, headers=headers)

    async with serve(answer) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/keys")
        caught = await refusal(lambda: open_bucket(server))
    assert "container's credentials" in str(caught)


@pytest.mark.parametrize("served", ["text", "[]", '{"Code": "Success"}', '{"AccessKeyId": 1}'])
async def test_instance_service_that_answers_nonsense_is_reported(
    monkeypatch: pytest.MonkeyPatch, served: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "PUT":
            return web.Response(text="token")
        return web.Response(text="role" if request.path.endswith("security-credentials/") else served)

    async with serve(answer) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        caught = await refusal(lambda: open_bucket(server))
    assert isinstance(caught, CredentialsError)


async def test_instance_role_signs_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = {"AccessKeyId": "AKIDROLE", "SecretAccessKey": WORDS, "Token": "t", "Code": "Success"}
    keys["Expiration"] = "2040-01-01T00:00:00Z"

    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/latest/"):
            if request.method == "PUT":
                return web.Response(text="token")
            is_list = request.path.endswith("security-credentials/")
            return web.Response(text="role" if is_list else json.dumps(keys))
        return found()

    async with serve(answer) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
        store = await open_bucket(server)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert signed_by(server.asked[-1]) == "AKIDROLE"


@pytest.mark.parametrize(
    ("name", "value"), [("METADATA_SERVICE_TIMEOUT", "1s"), ("METADATA_SERVICE_NUM_ATTEMPTS", "many")]
)
async def test_number_of_the_environment_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AWS_{name}", value)
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server))
    assert isinstance(caught, ConfigError)
    assert f"AWS_{name} of the environment" in str(caught)


@pytest.mark.parametrize(
    "content",
    [
        b"no section\n",
        b"[default\n",
        b"[default]\n\xff\xfe = x\n",
        b"[default]\nregion = x\nregion = y\n",
        b"[default]\ns3 = nested\n  x\n",
    ],
)
async def test_dotfile_that_cannot_be_read_is_reported_and_its_repair_noticed(
    tmp_path: Path, content: bytes
) -> None:
    shared = Shared()
    config = tmp_path / "aws-config"
    config.write_bytes(content)
    async with serve(bucket) as server:
        await refusal(lambda: open_bucket(server, shared))
        config.write_bytes(b"")
        write_keys(tmp_path / "aws-credentials", "AKIDTEST", WORDS)
        await (await open_bucket(server, shared)).close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ACCESS_KEY_ID", "AKIDTEST\n"),
        ("AWS_SECRET_ACCESS_KEY", " made-up-secret\r\n"),
        ("AWS_SESSION_TOKEN", "made-up\n"),
    ],
)
async def test_line_break_at_the_end_of_a_key_is_dropped(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", WORDS)
    monkeypatch.setenv(name, value)
    async with serve(bucket) as server:
        store = await open_bucket(server)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert signed_by(server.asked[-1]) == "AKIDTEST"


@pytest.mark.parametrize("broken", ["profile", "dotfile"])
async def test_anonymous_store_needs_no_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str
) -> None:
    if broken == "profile":
        monkeypatch.setenv("AWS_PROFILE", "nobody")
    else:
        (tmp_path / "aws-config").write_text("rubbish")
    async with serve(bucket) as server:
        access = BucketAccess(parse_ref("s3://bucket"), endpoint=server.url, anonymous=True)
        store = await open_store(access, LIMITS, environ={})
        assert await store.get("info", max_size=9) is not None
        await store.close()
        lister = await open_lister(access, LIMITS, environ={})
        assert lister is not None
        with pytest.raises(DvidpcError, match="cannot be listed"):
            _ = [page async for page in lister.list_below("")]
        await lister.close()


async def test_profile_that_is_set_to_nothing_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_keys(tmp_path / "aws-credentials", "AKIDTEST", WORDS)
    monkeypatch.setenv("AWS_PROFILE", "")
    async with serve(bucket) as server:
        await (await open_bucket(server)).close()


ROLE = "role_arn = arn:aws:iam::123456789012:role/reader\n"
SSO = "sso_session = s\nsso_account_id = 1\nsso_role_name = x\n[sso-session s]\n"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (f"[profile lab]\n{ROLE}source_profile = base\nmfa_serial = x\n", "asks for an MFA code"),
        (
            f"[profile lab]\n{ROLE}source_profile = mid\n[profile mid]\n{ROLE}mfa_serial = x\n",
            "asks for an MFA code",
        ),
        (f"[profile lab]\n{ROLE}source_profile = lab2\n[profile lab2]\n{ROLE}source_profile = lab\n", "Loop"),
        (f"[profile lab]\n{ROLE}source_profile = gone\n", "look at role_arn, source_profile"),
        (f"[profile lab]\n{ROLE}", "look at role_arn, source_profile"),
        (f"[profile lab]\n{ROLE}web_identity_token_file = /nowhere\n", "No such file or directory"),
        (f"[profile lab]\n{SSO}sso_start_url = https://x\nsso_region = x\n", "run: aws sso login"),
        ("[profile lab]\ncredential_process = 'unclosed\n", "run it by hand"),
        ("[profile lab]\ncredential_process =\n", "run it by hand"),
    ],
)
async def test_profile_that_gives_no_credentials_says_why_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, config: str, words: str
) -> None:
    (tmp_path / "aws-config").write_text(config)
    (tmp_path / "aws-credentials").write_text(
        f"[base]\naws_access_key_id = AKIDTEST\naws_secret_access_key = {WORDS}\n"
    )
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server, profile="lab"))
    assert words in str(caught)
    assert "'lab'" in str(caught)
    assert caplog.records == []


async def test_profile_that_is_added_to_the_dotfile_is_noticed(tmp_path: Path) -> None:
    shared = Shared()
    async with serve(bucket) as server:
        caught = await refusal(lambda: open_bucket(server, shared, profile="lab"))
        assert isinstance(caught, ConfigError)
        assert "lab" in str(caught)
        (tmp_path / "aws-config").write_text("[profile lab]\nregion = eu-west-1\n")
        (tmp_path / "aws-credentials").write_text(
            f"[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = {WORDS}\n"
        )
        await (await open_bucket(server, shared, profile="lab")).close()


async def test_instance_service_whose_token_does_not_arrive_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A container behind one hop more than allowed (buildkite/elastic-ci-stack-for-aws issue 857)."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/latest/"):
            if request.method == "PUT":
                await asyncio.sleep(5)
            return web.Response(status=401)
        return found()

    async with serve(answer) as server:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        caught = await refusal(lambda: open_bucket(server))
    assert "the instance's role cannot be had: the metadata service wants a token (IMDSv2)" in str(caught)
    assert str(caught).endswith("--http-put-response-hop-limit 2")
