"""Who has a token reads; nobody else does, and everybody sees that the server is well."""

import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import jwt
import pytest
import pytest_asyncio

from dvidpc.errors import ConfigError, UnauthorizedError
from dvidpc.http.tokens import check_token
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

SECRET = "a made-up secret " * 4
OTHER = "another made-up secret" * 4
ENVIRON = {"DVID_JWT_SECRET_KEY": SECRET}
AUTH = '[auth]\nenforce = "token"\n'
USER = {"user": "ada"}
PAGE = "http://localhost:9000"


def token(claims: Mapping[str, object], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(dict(claims), secret, algorithm=algorithm)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    write_volume(tmp_path / "volume", VolumeSpec(size=(64, 64, 64)))
    return tmp_path / "volume"


@pytest_asyncio.fixture
async def server(volume: Path, tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(config_text({"em": volume}, AUTH), tmp_path, ENVIRON) as server:
        yield server


async def test_a_token_lets_in(server: Server) -> None:
    for path in ("/", "/api/repos/info", f"{server.node}/em/specificblocks?blocks=0,0,0"):
        async with server.session.get(server.url + path, headers=bearer(token(USER))) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic YWRhOmFkYQ=="},
        {"Authorization": "Bearer "},
        bearer("a.b.c"),
        bearer("x" * 4000),
        bearer(token(USER, OTHER)),
        bearer(token(USER, SECRET, "HS512")),
        bearer(token(USER, "", "none")),
        bearer(token({"user": ""})),
        bearer(token({"user": ["ada"]})),
        bearer(token({"sub": "ada"})),
        bearer(token(USER | {"exp": 1_600_000_000})),
        bearer(token(USER)[:-2]),
    ],
)
async def test_nothing_else_does(server: Server, headers: dict[str, str]) -> None:
    for path in ("/", "/api/repos/info", "/nothing", f"{server.node}/em/info", "/healthz/../api/load"):
        sent = headers | {"Origin": PAGE}
        async with server.session.get(server.url + path, headers=sent) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE
            assert SECRET not in await answer.text()


async def test_health_and_preflights_need_no_token(server: Server) -> None:
    for path in ("/healthz", "/readyz"):
        assert await server.get(path) == b"ok\n"
    async with server.session.options(f"{server.url}{server.node}/em/info") as answer:
        assert answer.status in {200, 204}


async def test_two_tokens_are_none(server: Server) -> None:
    headers = [("Authorization", f"Bearer {token(USER)}")] * 2
    async with server.session.get(f"{server.url}/", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("environ", [{}, {"DVID_JWT_SECRET_KEY": ""}, {"DVID_JWT_SECRET_KEY": "short"}])
async def test_without_a_good_secret_there_is_no_start(
    environ: dict[str, str], volume: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="DVID_JWT_SECRET_KEY"):
        async with serving(config_text({"em": volume}, AUTH), tmp_path, environ):
            pass


def test_token_that_will_expire_still_holds() -> None:
    assert check_token([f"bearer {token(USER | {'exp': time.time() + 60})}"], SECRET) == "ada"
    with pytest.raises(UnauthorizedError, match="expired"):
        check_token([f"Bearer {token(USER | {'exp': time.time() - 60})}"], SECRET)
