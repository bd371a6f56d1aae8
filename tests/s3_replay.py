"""An S3 service over a directory that answers as other services do: rights, refusals, buckets that appear."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from aiohttp import web

from tests.servers import serve_directory

Answer = Callable[[web.Request], web.Response | None]


def s3_error(status: int, code: str) -> web.Response:
    """Return an error as S3 writes it."""
    return web.Response(status=status, text=f"<Error><Code>{code}</Code></Error>")


def is_listing(request: web.Request) -> bool:
    """Whether a request lists a bucket."""
    return "list-type" in request.query


@dataclass
class ReplayedS3:
    """Buckets are the directories below *directory*. A handler for `tests.servers.serve`."""

    directory: Path
    writable: bool = True
    creates_buckets: bool = False
    """Whether a write makes a missing bucket, as SeaweedFS does."""
    refuse: Answer = lambda _: None
    """Returns the answer to a request that is refused, and None for others."""
    written: list[str] = field(default_factory=list)
    """What every request that could write was, as method and path."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.method not in {"GET", "HEAD"}:
            self.written.append(f"{request.method} {request.path}")
        if (refused := self.refuse(request)) is not None:
            return refused
        bucket = self.directory / request.match_info["path"].partition("/")[0]
        if request.method not in {"GET", "HEAD"}:
            return self._write(request, bucket)
        if not bucket.is_dir():
            return s3_error(404, "NoSuchBucket")
        if is_listing(request):
            return _list(bucket, request.query.get("prefix", ""))
        if not (self.directory / request.match_info["path"]).is_file():
            return s3_error(404, "NoSuchKey")
        handle: Callable[[web.Request], Awaitable[web.StreamResponse]] = serve_directory(self.directory)
        return await handle(request)

    def _write(self, request: web.Request, bucket: Path) -> web.Response:
        if self.creates_buckets:
            bucket.mkdir(exist_ok=True)
        if not bucket.is_dir():
            return s3_error(404, "NoSuchBucket")
        if not self.writable:
            return s3_error(403, "AccessDenied")
        if request.method == "POST" and "uploadId" in request.query:
            return s3_error(404, "NoSuchUpload")
        (bucket / "written").touch()
        return web.Response(
            text="<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        )


def _list(bucket: Path, prefix: str) -> web.Response:
    keys = {str(file.relative_to(bucket)): file for file in sorted(bucket.rglob("*")) if file.is_file()}
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{file.stat().st_size}</Size></Contents>"
        for key, file in keys.items()
        if key.startswith(prefix)
    )
    head = f"<Name>{bucket.name}</Name><IsTruncated>false</IsTruncated>"
    text = f"<ListBucketResult>{head}{entries}</ListBucketResult>"
    return web.Response(text=text, content_type="application/xml")
