"""Methods that the table does not name are refused, and `Expect` is answered before the body."""

from pathlib import Path

import pytest

from dvidpc.dvid.imageblk.endpoints import IMAGEBLK
from dvidpc.dvid.routes import ROUTES
from tests.rawhttp import exchange
from tests.serving import UUID, config_text, serving

WRITES = ("POST", "PUT", "DELETE", "PATCH")


async def test_methods_outside_the_table_are_refused(volume: Path, tmp_path: Path) -> None:
    async with serving(config_text({"em": volume}), tmp_path) as server:
        paths = [route.path.format(uuid=UUID, type="uint8blk", name="master") for route in ROUTES]
        paths += [f"{server.node}/em/{name}" for name in IMAGEBLK.endpoints]
        for path in [*paths, "/bogus", "/api/bogus"]:
            for method in (*WRITES, "TRACE", "PROPFIND"):
                async with server.ask(method, path) as response:
                    assert response.status in {400, 404}, (method, path)
                    assert response.content_type == "text/plain"


@pytest.mark.parametrize(
    ("line", "expected", "status"),
    [
        (b"POST /api/server/settings", b"100-continue", 100),
        (b"POST /api/server/settings", b"a miracle", 417),
        (b"POST /api/server/settings", b"100-contin\x9de", 417),
        (b"OPTIONS *", b"100-contin\x9de", 417),
    ],
)
async def test_an_expectation_is_met_or_refused(
    volume: Path, tmp_path: Path, line: bytes, expected: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    head = b"%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: %b\r\n\r\n" % (line, expected)
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, head, until_closed=False)
        assert answer.status == status
    assert "Traceback" not in caplog.text


async def test_connect_is_refused(volume: Path, tmp_path: Path) -> None:
    request = b"CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving(config_text({"em": volume}), tmp_path) as server:
        answer = await exchange(server.url, request, until_closed=False)
        assert answer.status in {400, 404}
