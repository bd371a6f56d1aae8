"""What a response means for a read, over plain HTTP."""

import asyncio
import contextlib

import pytest
from aiohttp import web

from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import Blob, BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.servers import WebServer, serve
from tests.storage.contract import LIMITS


class Answers:
    """A handler with a list of answers, of which it repeats the last."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers = list(answers)

    async def __call__(self, _: web.Request) -> web.Response:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def partial(body: bytes, content_range: str | None, etag: str = '"1"') -> web.Response:
    headers = {"ETag": etag} | ({"Content-Range": content_range} if content_range else {})
    return web.Response(status=206, body=body, headers=headers)


async def read_range(
    answers: Answers, byte_range: ByteRange, etag: str | None = None, **settings: object
) -> tuple[Blob | None, WebServer]:
    async with serve(answers) as server:
        access = BucketAccess(parse_ref(f"{server.url}/image"), **settings)  # type: ignore[arg-type]
        store = await open_store(access, LIMITS, environ={})
        try:
            return await store.get_range("0.shard", byte_range, version=Version(etag)), server
        finally:
            await store.close()


class TestRanges:
    async def test_what_is_sent(self) -> None:
        blob, server = await read_range(Answers(partial(b"2345", "bytes 2-5/10")), ByteRange(2, 6), '"1"')
        assert blob == Blob(b"2345", Version('"1"', 10))
        [request] = server.asked
        assert request.headers["Range"] == "bytes=2-5"
        assert request.headers["If-Match"] == '"1"'
        assert request.headers["Accept-Encoding"] == "identity"

    async def test_weak_etag_is_not_sent_but_compared(self) -> None:
        answer = partial(b"2345", "bytes 2-5/10", 'W/"1"')
        _, server = await read_range(Answers(answer), ByteRange(2, 6), 'W/"1"')
        assert "If-Match" not in server.asked[0].headers
        with pytest.raises(ObjectChangedError, match=r"0\.shard"):
            await read_range(Answers(answer), ByteRange(2, 6), 'W/"2"')

    @pytest.mark.parametrize("etag", ["", '"2"'])
    async def test_refused_etag_is_a_replacement_unless_the_same_is_read_again(self, etag: str) -> None:
        refused, again = web.Response(status=412), partial(b"2345", "bytes 2-5/10", etag)
        with pytest.raises(ObjectChangedError, match=r"0\.shard was replaced"):
            await read_range(Answers(refused, again), ByteRange(2, 6), '"1"')
        with pytest.raises(ObjectChangedError, match=r"0\.shard was replaced"):
            await read_range(Answers(refused, refused), ByteRange(2, 6), '"1"')
        same = partial(b"2345", "bytes 2-5/10", '"1"')
        blob, server = await read_range(Answers(refused, same), ByteRange(2, 6), '"1"')
        assert blob is not None
        assert ["If-Match" in request.headers for request in server.asked] == [True, False]

    async def test_server_that_ignores_if_match_is_noticed(self) -> None:
        with pytest.raises(ObjectChangedError):
            await read_range(Answers(partial(b"2345", "bytes 2-5/10", '"2"')), ByteRange(2, 6), '"1"')

    @pytest.mark.parametrize(
        "content_range",
        [None, "", "bytes 3-6/10", "bytes 2-6/10", "bytes 2-4/10", "bytes */10", "lines 2-5/10"],
    )
    async def test_wrong_range_is_retried(self, content_range: str | None) -> None:
        wrong, right = partial(b"2345", content_range), partial(b"2345", "bytes 2-5/10")
        blob, server = await read_range(Answers(wrong, right), ByteRange(2, 6))
        assert blob is not None
        assert blob.data == b"2345"
        assert len(server.asked) == 2

    async def test_range_without_its_header_is_explained(self) -> None:
        """Some servers of static files leave it out (neuroglancer pull request 611)."""
        with pytest.raises(StoreError, match=r"'' instead \(206 without a Content-Range\)"):
            await read_range(Answers(partial(b"2345", None)), ByteRange(2, 6))

    async def test_range_may_be_named_as_s3_has_done(self) -> None:
        """S3 sent the header under this name for a while (aws-sdk-java-v2 pull request 1861)."""
        headers = {"ETag": '"1"', "x-amz-content-range": "bytes 2-5/10"}
        blob, server = await read_range(
            Answers(web.Response(status=206, body=b"2345", headers=headers)), ByteRange(2, 6)
        )
        assert blob == Blob(b"2345", Version('"1"', 10))
        assert len(server.asked) == 1

    async def test_body_shorter_than_its_range_is_retried(self) -> None:
        short, right = partial(b"23", "bytes 2-5/10"), partial(b"2345", "bytes 2-5/10")
        blob, server = await read_range(Answers(short, right), ByteRange(2, 6))
        assert blob is not None
        assert len(server.asked) == 2

    async def test_little_whole_object_is_cut_to_the_range(self) -> None:
        blob, _ = await read_range(Answers(web.Response(body=b"0123456789")), ByteRange(3, 7))
        assert blob == Blob(b"3456", Version(size=10))

    async def test_little_whole_object_that_ends_too_early_is_a_format_error(self) -> None:
        with pytest.raises(FormatError, match=r"0\.shard ends at byte 5"):
            await read_range(Answers(web.Response(body=b"01234")), ByteRange(3, 7))

    async def test_whole_object_is_not_read_for_a_range_far_inside(self) -> None:
        with pytest.raises(StoreError, match="all of it instead of a range"):
            await read_range(Answers(web.Response(body=bytes(1000))), ByteRange(500, 510))

    async def test_large_whole_object_is_left_after_the_range(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                for _ in range(1024):
                    await response.write(bytes(1 << 20))
                    written.append(1)
            return response

        written: list[int] = []
        async with serve(answer) as server:
            store = await open_store(BucketAccess(parse_ref(server.url)), LIMITS, environ={})
            blob = await store.get_range("0.shard", ByteRange(0, 16))
            await store.close()
        assert blob == Blob(bytes(16), Version())
        assert len(written) < 32

    async def test_encoding_that_was_not_asked_for_is_an_error(self) -> None:
        encoded = web.Response(body=b"0123456789", headers={"Content-Encoding": "gzip"})
        with pytest.raises(StoreError, match="gzip"):
            await read_range(Answers(encoded), ByteRange(3, 7))


class TestAnswers:
    async def read(self, *answers: web.Response, **settings: object) -> WebServer:
        async with serve(Answers(*answers)) as server:
            self.server = server
            access = BucketAccess(parse_ref(f"{server.url}/image"), **settings)  # type: ignore[arg-type]
            store = await open_store(access, LIMITS, environ={})
            try:
                assert await store.get("info", max_size=100) is None
            finally:
                await store.close()
        return server

    @pytest.mark.parametrize("status", [401, 403])
    async def test_refusal_is_an_error_unless_listed(self, status: int) -> None:
        with pytest.raises(StoreRefusedError, match=rf"/image/info.*{status}"):
            await self.read(web.Response(status=status))
        assert len(self.server.asked) == 1
        with pytest.raises(StoreRefusedError, match=rf"/image/info.*{status}"):
            await self.read(web.Response(status=status), missing_status=frozenset({status}))
        assert len(self.server.asked) == 1

    @pytest.mark.parametrize("location", ["", "/elsewhere", "http://[", "http://me:hunter2@host/"])
    async def test_redirect_is_an_error_that_names_the_host_only(self, location: str) -> None:
        with pytest.raises(StoreRefusedError, match=r"302 to '(host)?'") as caught:
            await self.read(web.Response(status=302, headers={"Location": location}))
        assert "hunter2" not in str(caught.value)

    async def test_not_found_is_an_error_if_not_listed(self) -> None:
        with pytest.raises(StoreError, match="404"):
            await self.read(web.Response(status=404), missing_status=frozenset())

    @pytest.mark.parametrize("status", [204, 206, 400, 410, 429, 500, 503])
    async def test_other_statuses_are_errors(self, status: int) -> None:
        with pytest.raises(StoreError, match=str(status)):
            await self.read(web.Response(status=status))
        assert len(self.server.asked) == 3

    async def test_nothing_tells_who_we_are(self) -> None:
        cookie = web.Response(status=500, headers={"Set-Cookie": "who=me"})
        server = await self.read(cookie, web.Response(status=404))
        for request in server.asked:
            assert not {"Authorization", "Cookie"} & set(request.headers)
        assert server.asked[0].headers["Accept-Encoding"] == "gzip, br, zstd"

    async def test_unknown_size_is_bounded_too(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):
                for _ in range(1024):
                    await response.write(bytes(1 << 20))
                    written.append(1)
            return response

        written: list[int] = []
        async with serve(answer) as server:
            store = await open_store(BucketAccess(parse_ref(server.url)), LIMITS, environ={})
            with pytest.raises(FormatError, match="more than"):
                await store.get("info", max_size=1000)
            await store.close()
        assert len(written) < 32

    async def test_server_that_is_away_is_an_error(self) -> None:
        store = await open_store(BucketAccess(parse_ref("http://127.0.0.1:1/image")), LIMITS, environ={})
        with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:1/image/info.*cannot be reached"):
            await store.get("info", max_size=100)
        await store.close()

    async def test_silent_server_is_a_timeout(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            await asyncio.Event().wait()
            return web.Response()

        async with serve(answer) as server:
            limits = UpstreamLimits(attempts=2, first_byte_timeout_s=0.1)
            store = await open_store(BucketAccess(parse_ref(server.url)), limits, environ={})
            with pytest.raises(StoreTimeoutError, match="info"):
                await store.get("info", max_size=100)
            await store.close()
        assert len(server.asked) == 2


class TestHeadersOfProxies:
    async def read_both(self, headers: dict[str, str], range_status: int = 206) -> None:
        async def answer(request: web.Request) -> web.Response:
            if "Range" in request.headers and range_status == 206:
                return web.Response(
                    status=206, body=b"2345", headers={**headers, "Content-Range": "bytes 2-5/10"}
                )
            return web.Response(body=b"0123456789", headers=headers)

        async with serve(answer) as server:
            store = await open_store(BucketAccess(parse_ref(server.url)), LIMITS, environ={})
            try:
                whole = await store.get("info", max_size=100)
                part = await store.get_range("0.shard", ByteRange(2, 6))
            finally:
                await store.close()
        assert whole is not None
        assert part is not None
        assert (whole.data, part.data) == (b"0123456789", b"2345")

    async def test_a_header_may_be_longer_than_8_kib(self) -> None:
        """Proxies of companies add such headers (aiohttp issue 2304, hangups issue 464)."""
        await self.read_both({"Content-Security-Policy": "x" * 20_000})

    async def test_an_offer_of_http_2_does_not_hide_the_body(self) -> None:
        """Apache's mod_http2 sends it (aiohttp issue 2277)."""
        await self.read_both({"Upgrade": "h2,h2c", "Connection": "Upgrade, Keep-Alive"})

    @pytest.mark.parametrize("range_status", [206, 200])
    async def test_the_encoding_of_an_upload_is_none(self, range_status: int) -> None:
        """Services that keep that of an upload (neuroglancer issue 795, versitygw issue 2398)."""
        await self.read_both({"Content-Encoding": "aws-chunked"}, range_status)
