"""Administrative requests need the token; blocked users and addresses get no answer."""

from pathlib import Path

import pytest

from tests.serving import UUID, config_text, serving

TOKEN = {"DVID_ADMIN_TOKEN": "s3cret"}
ADMINS_ONLY = {
    ("GET", "/api/server/config"): (
        "GET /api/server/config requires admin privileges (admintoken or DSG admin)"
    ),
    ("POST", "/api/server/settings"): (
        "POST /api/server/settings requires admin privileges (admintoken or DSG admin)"
    ),
    ("POST", "/api/server/reload-auth"): (
        "POST /api/server/reload-auth requires admin privileges (admintoken or DSG admin)"
    ),
    ("POST", "/api/server/reload-blocklist"): (
        "POST /api/server/reload-blocklist requires admin privileges (admintoken or DSG admin)"
    ),
    ("GET", "/api/storage"): (
        "Storage summary takes considerable resources and is only available to admin users."
    ),
    ("POST", "/api/repos"): (
        "Creating a repo requires admin privileges (admintoken or DSG admin) "
        "on a server that is not read-only"
    ),
}


@pytest.mark.parametrize(
    ("environ", "given"),
    [({}, ""), ({}, "?admintoken="), (TOKEN, ""), (TOKEN, "?admintoken=guess"), (TOKEN, "?admintoken=%FF")],
)
async def test_requests_without_the_token_are_refused(
    volume: Path, tmp_path: Path, environ: dict[str, str], given: str
) -> None:
    async with serving(config_text({"em": volume}), tmp_path, environ) as server:
        for (method, path), text in ADMINS_ONLY.items():
            async with server.ask(method, path + given, body=b"{}" if method == "POST" else None) as response:
                assert (response.status, await response.text()) == (400, f"{text} ({path}).\n")


async def test_requests_with_the_token_are_answered(volume: Path, tmp_path: Path) -> None:
    said = {
        ("GET", "/api/server/config"): config_text({"em": volume}),
        ("POST", "/api/server/settings"): "gc is accepted and has no effect on this server\n",
        ("POST", "/api/server/reload-auth"): 'Reloaded authorizations from file "".\n',
        ("POST", "/api/server/reload-blocklist"): 'Reloaded block list from file "".\n',
        ("GET", "/api/storage"): (f"store em: served\n  em: file://{volume}\n  em_1: file://{volume}\n"),
        ("POST", "/api/repos"): f'{{"root": "{UUID}"}}',
    }
    async with serving(config_text({"em": volume}), tmp_path, TOKEN) as server:
        for (method, path), text in said.items():
            body = b'{"gc": "500"}' if method == "POST" else None
            async with server.ask(method, f"{path}?admintoken=s3cret", body=body) as response:
                assert (response.status, await response.text()) == (200, text)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"gc": "x"}', b'{"gc": null}', b'{"gc": "' + b"1" * 70_000])
async def test_malformed_settings_are_refused(volume: Path, tmp_path: Path, body: bytes) -> None:
    async with (
        serving(config_text({"em": volume}), tmp_path, TOKEN) as server,
        server.ask("POST", "/api/server/settings?admintoken=s3cret", body=body) as response,
    ):
        assert response.status == 400
        assert response.content_type == "text/plain"


async def test_blocked_users_and_addresses_are_refused(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("u=bob,too many requests\n")
    more = '[server]\nblockListFile = "blocked"\ncorsDomains = ["*"]'
    async with serving(config_text({"em": volume}, more), tmp_path, TOKEN) as server:
        for path in ("/api/load", f"{server.node}/em/info", "/"):
            async with server.ask("GET", f"{path}?u=bob") as response:
                assert response.status == 429
                assert await response.text() == 'User "bob" is blocked: too many requests\n'
                assert response.headers["Access-Control-Allow-Origin"] == "*"
            await server.get(f"{path}?u=ann")
        (tmp_path / "blocked").write_text("u=ann\nip=127.0.*.1,here\n")
        async with server.ask("POST", "/api/server/reload-blocklist?admintoken=s3cret") as response:
            assert await response.text() == f'Reloaded block list from file "{tmp_path}/blocked".\n'
        assert await server.error("/api/load?u=bob") == (429, 'IP "127.0.0.1" is blocked: here\n')


async def test_a_malformed_block_list_keeps_the_current_one(volume: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("u=bob\n")
    more = '[server]\nblockListFile = "blocked"'
    async with serving(config_text({"em": volume}, more), tmp_path, TOKEN) as server:
        (tmp_path / "blocked").write_text("bob\n")
        async with server.ask("POST", "/api/server/reload-blocklist?admintoken=s3cret") as response:
            assert response.status == 400
            assert "unable to reload blocklist file: " in await response.text()
        assert (await server.error("/api/load?u=bob"))[0] == 429
