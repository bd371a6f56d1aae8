"""Reads the `ref` of a store: which service, which bucket, which prefix."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from dvidpc.errors import ConfigError

ALLOWED = (
    "s3://bucket/prefix, gs://bucket/prefix, bucket/prefix (Google), vast://endpoint/bucket/prefix, "
    "https://host/path, file:///path or /path"
)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,221}")
_INTENDED = {"gcs": "gs", "gc": "gs", "s3a": "s3", "s3n": "s3", "swift": "vast"}


class Kind(StrEnum):
    """Which service holds the objects."""

    S3 = "s3"
    GCS = "gs"
    VAST = "vast"
    """S3 at the endpoint that the ref names."""
    HTTP = "http"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Ref:
    """Where objects lie."""

    kind: Kind
    bucket: str
    """Empty for `HTTP` and `FILE`."""
    prefix: str
    """Without a `/` at either end; percent-encoded as written for `HTTP`, an absolute path for `FILE`."""
    endpoint: str | None = None
    """`https://host[:port]` for `VAST` and `HTTP`."""

    @property
    def url(self) -> str:
        """The place as a person would write it; holds no credential, since none is accepted."""
        match self.kind:
            case Kind.S3 | Kind.GCS:
                parts = [f"{self.kind}:/", self.bucket, self.prefix]
            case Kind.VAST:
                parts = [f"vast://{self.endpoint}", self.bucket, self.prefix]
            case Kind.HTTP:
                parts = [str(self.endpoint), self.prefix]
            case Kind.FILE:
                return f"file://{self.prefix}"
        return "/".join(part for part in parts if part)


def parse_ref(text: str) -> Ref:
    """What a `ref` names.

    As in DVID the service is what stands before the first `//`, and a ref without one is a Google bucket;
    unlike there `vast://` takes a prefix, and web servers and directories are allowed. (cloud.go:21-74)

    Raises:
        ConfigError: It is none of the `ALLOWED` forms.
    """
    if text.startswith("/") and not text.startswith("//"):
        return _parse_path(text, text)
    service, separator, rest = text.partition("//")
    if not separator:
        return _parse_bucket(text, Kind.GCS, text)
    if parse := _PARSERS.get(service):
        return parse(text, rest)
    raise ConfigError(_unknown_service(text, service))


def split_ref(ref: Ref, root: str | None) -> tuple[Ref, str]:
    """The root of the store that *ref* is read from, and the directory below it, as keys are written.

    Args:
        ref: Where a volume lies.
        root: What keys must not lead out of; None: the bucket, the web server, or the directory above.

    Raises:
        ConfigError: *ref* does not lie below *root*.
    """
    if root is not None:
        at = parse_ref(root)
    else:
        at = replace(ref, prefix=posixpath.dirname(ref.prefix) if ref.kind is Kind.FILE else "")
    outside = ConfigError(f"{ref.url} does not lie below the root {at.url}")
    if replace(at, prefix=ref.prefix) != ref:
        raise outside
    if at.kind is Kind.FILE:
        directory = posixpath.relpath(ref.prefix, at.prefix)
    elif not at.prefix or ref.prefix == at.prefix or ref.prefix.startswith(f"{at.prefix}/"):
        directory = ref.prefix[len(at.prefix) :].lstrip("/")
    else:
        raise outside
    if at.kind is Kind.HTTP:
        directory = _normal(ref.url, unquote(directory))
    if ".." in directory.split("/"):
        raise outside
    return at, "" if directory == "." else directory


def parse_endpoint(text: str) -> str:
    """An `endpoint` as `scheme://host[:port][/path]`; `https` is understood where no scheme is named.

    Raises:
        ConfigError: It is no http(s) URL, or holds a credential, a query or a fragment.
    """
    written = text if "://" in text else f"https://{text}"
    parts = _split(text, written)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"endpoint {text!r} is not http(s)://host[:port]")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _parse_bucket(text: str, kind: Kind, rest: str, endpoint: str | None = None) -> Ref:
    if "@" in rest.partition("/")[0]:
        raise ConfigError("ref holds a credential before '@'; give it by a profile or the environment")
    if "?" in rest or "#" in rest:
        raise ConfigError(f"ref {text!r} holds a query; use the keys region, endpoint and profile instead")
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ConfigError(f"ref {text!r} names no bucket; allowed: {ALLOWED}")
    return Ref(kind, bucket, _normal(text, prefix), endpoint)


def _parse_vast(text: str, rest: str) -> Ref:
    scheme, separator, after = rest.partition("://")
    host, _, bucket_and_prefix = (after if separator else rest).partition("/")
    endpoint = parse_endpoint(f"{scheme}://{host}" if separator else host)
    return _parse_bucket(text, Kind.VAST, bucket_and_prefix, endpoint)


def _parse_http(text: str, _: str) -> Ref:
    parts = _split(text, text)
    if not parts.hostname:
        raise ConfigError(f"ref {text!r} names no host; allowed: {ALLOWED}")
    return Ref(Kind.HTTP, "", _normal(text, parts.path), f"{parts.scheme}://{parts.netloc}")


def _parse_file(text: str, rest: str) -> Ref:
    host, slash, path = rest.partition("/")
    if host not in {"", "localhost"} or not slash:
        raise ConfigError(f"ref {text!r} is not file:///path, with three slashes")
    return _parse_path(text, "/" + unquote(path))


def _parse_path(text: str, path: str) -> Ref:
    if "\0" in path:
        raise ConfigError(f"ref {text!r} is no path")
    return Ref(Kind.FILE, "", path.rstrip("/") or "/")


_PARSERS: dict[str, Callable[[str, str], Ref]] = {
    "s3:": lambda text, rest: _parse_bucket(text, Kind.S3, rest),
    "gs:": lambda text, rest: _parse_bucket(text, Kind.GCS, rest),
    "vast:": _parse_vast,
    "http:": _parse_http,
    "https:": _parse_http,
    "file:": _parse_file,
}


def _split(text: str, url: str) -> SplitResult:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigError("a URL of the store holds a credential before '@': only anonymous reads use a URL")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # the property checks the number
    except ValueError as error:
        raise ConfigError(f"{text!r} is no URL: {error}") from error
    if parts.query or parts.fragment:
        raise ConfigError(
            f"{url.partition('?')[0].partition('#')[0]} has a query or fragment: neither is sent"
        )
    return parts


def _normal(text: str, prefix: str) -> str:
    parts = prefix.strip("/").split("/")
    if parts != [""] and any(part in {"", ".", ".."} for part in parts):
        raise ConfigError(f"the prefix of ref {text!r} has an empty part, '.' or '..'")
    return "/".join(parts)


def _unknown_service(text: str, service: str) -> str:
    name = service.rstrip(":")
    if intended := _INTENDED.get(name):
        return f"ref {text!r}: unknown service {name!r}, did you mean {intended}://? Allowed: {ALLOWED}"
    return f"ref {text!r}: unknown service {name!r}; allowed: {ALLOWED}"
