"""A `ref`: the text that says where a volume lies, parsed once into a service, a bucket, a prefix and a root.

Errors name the text that is wrong. The configuration adds the file, the section and the key.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from dvidpc.errors import ConfigError
from dvidpc.storage.ref_formats import NamedFormat, split_format, strip_format

ALLOWED = (
    "s3://bucket/prefix, gs://bucket/prefix, bucket/prefix (Google), vast://endpoint/bucket/prefix, "
    "https://host/path, file:///path or /path"
)
_NO_USER = "a URL here holds no user and no password"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,221}")
_INTENDED = {"gcs": "gs", "gc": "gs", "s3a": "s3", "s3n": "s3", "swift": "vast"} | {
    "gs+ngauth+https": "gs",
    "s3+http": "vast",
    "s3+https": "vast",
}
"""Names that other programs use for a service, and ours for it."""
METADATA_FILES = frozenset({"info", "zarr.json", ".zarray", ".zattrs", ".zgroup", "attributes.json"})
"""The files that a ref may name in place of their directory."""
_SLASH = re.compile("%2f", re.IGNORECASE)
_SHOWN = 60
"""Most characters of a wrong text that an error repeats."""


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
    """Where a volume lies, and the root that its keys and redirects may not leave.

    Refs are equal if they name the same place below the same root, however they are written.
    """

    kind: Kind
    bucket: str
    """Empty for `HTTP` and `FILE`."""
    prefix: str
    """Without a `/` at either end; percent-encoded as written for `HTTP`, an absolute path for `FILE`."""
    endpoint: str | None = None
    """`https://host[:port]` for `VAST` and `HTTP`; None for other kinds."""
    root_prefix: str = ""
    """The `prefix` of the root; empty: the whole bucket or web server."""
    text: str = field(default="", compare=False)
    """The ref as it was written; empty for a ref that was derived from another."""
    format: NamedFormat | None = field(default=None, compare=False)
    """The format that the text names; None if it names none."""

    @property
    def url(self) -> str:
        """The place as a ref that parses to it again; holds no credential, since none is accepted."""
        match self.kind:
            case Kind.S3 | Kind.GCS:
                parts = [f"{self.kind}:/", self.bucket, self.prefix]
            case Kind.VAST:
                parts = [f"vast://{self.endpoint}", self.bucket, self.prefix]
            case Kind.HTTP:
                parts = [str(self.endpoint), self.prefix]
            case Kind.FILE:
                parts = [f"file://{self.prefix.replace('%', '%25')}"]
        end = "/" if posixpath.basename(self.prefix) in METADATA_FILES else ""  # else it would name the file
        return "/".join(part for part in parts if part) + end

    @property
    def root(self) -> "Ref":
        """The root, which is its own root."""
        return replace(self, prefix=self.root_prefix, text="", format=None)

    @property
    def directory(self) -> str:
        """The volume's directory relative to the root, as in keys; empty for the root itself."""
        if self.kind is Kind.FILE:
            below = posixpath.relpath(self.prefix, self.root_prefix)
            return "" if below == "." else below
        below = self.prefix[len(self.root_prefix) :].lstrip("/")
        return unquote(below) if self.kind is Kind.HTTP else below

    def with_root(self, root: "Ref") -> "Ref":
        """Return the same place below another root.

        Raises:
            ConfigError: *root* does not contain the place.
        """
        moved = replace(self, root_prefix=root.prefix)
        same_service = moved.root == replace(root, root_prefix=root.prefix)
        if not same_service or not _contains(root.prefix, self) or ".." in moved.directory.split("/"):
            raise ConfigError(f"{self.url!r} does not lie below the root {root.url!r}")
        _check_parts(self.url, moved.directory)
        if self.kind is Kind.HTTP and _SLASH.search(self.prefix[len(root.prefix) :]):
            raise ConfigError(
                f"{self.url!r} has a %2F behind the root {root.url!r}; keys there cannot have one"
            )
        return moved


def parse_ref(text: str) -> Ref:
    """Parse the ref of a precomputed volume; otherwise as `parse_ref_of_any_format`.

    Raises:
        ConfigError: It has none of the `ALLOWED` forms, or names another format.
    """
    strip_format(text)
    return parse_ref_of_any_format(text)


def parse_ref_of_any_format(text: str) -> Ref:
    """Parse a ref; its root is the bucket, the web server, or the directory above a directory.

    As in DVID the service is what stands before the first `//`, and a ref without one is a Google bucket.
    Unlike DVID we take a prefix after `vast://`, and web servers and directories.  (cloud.go:21-74)
    It may name the format as neuroglancer does (see `split_format`), and a metadata file in place of its
    directory.

    Raises:
        ConfigError: It has none of the `ALLOWED` forms.
    """
    place, named = split_format(text)
    ref = _parse_place(place)
    if not place.endswith("/") and posixpath.basename(ref.prefix) in METADATA_FILES:
        ref = replace(ref, prefix=posixpath.dirname(ref.prefix))
    return replace(ref, text=text, format=named).with_root(replace(ref, prefix=_default_root(ref)))


def parse_endpoint(text: str) -> str:
    """Return an endpoint as `scheme://host[:port][/path]`; the scheme is `https` where none is written.

    Raises:
        ConfigError: It is not an http(s) URL, or holds a credential, a query or a fragment.
    """
    parts = _split(text if "://" in text else f"https://{text}")
    usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not usable or not text.isprintable() or " " in text:
        raise ConfigError(f"{_show(text)} is not an endpoint such as https://host or http://host:port")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _parse_place(text: str) -> Ref:
    if text.startswith("/") and not text.startswith("//"):
        return _parse_path(text)
    service, separator, rest = text.partition("://")
    if not separator:
        return _parse_google(text)
    if parse := _PARSERS.get(service):
        return parse(text, rest)
    raise ConfigError(_unknown_service(service))


def _parse_google(text: str) -> Ref:
    """Parse `bucket/prefix`, which is GCS as in DVID."""
    if text.startswith((".", "~")):
        raise ConfigError(f"{_show(text)} is a relative path, and only an absolute one is allowed")
    bucket = text.partition("/")[0]
    if "//" in text or (":" in bucket and "@" not in bucket):
        raise ConfigError(
            f"{_show(text)} is neither a URL, an absolute path nor a bucket/prefix; allowed: {ALLOWED}"
        )
    return _parse_bucket(text, Kind.GCS, text)


def _parse_bucket(text: str, kind: Kind, rest: str, endpoint: str | None = None) -> Ref:
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket:
        raise ConfigError("holds a credential before '@'; give it by the key profile or the environment")
    if "?" in rest:
        raise ConfigError("holds a query ('?'); use the keys region, endpoint and profile instead")
    if "#" in rest:
        raise ConfigError("holds a '#', which begins a fragment in a URL; rename that directory")
    if not _BUCKET.fullmatch(bucket):
        raise ConfigError(f"{_show(text)} names no bucket; allowed: {ALLOWED}")
    return Ref(kind, bucket, _parse_prefix(text, prefix), endpoint)


def _parse_vast(text: str, rest: str) -> Ref:
    scheme, separator, after = rest.partition("://")
    host, _, bucket_and_prefix = (after if separator else rest).partition("/")
    if not host:
        raise ConfigError(f"{_show(text)} names no endpoint; allowed: {ALLOWED}")
    endpoint = parse_endpoint(f"{scheme}://{host}" if separator else host)
    return _parse_bucket(text, Kind.VAST, bucket_and_prefix, endpoint)


def _parse_http(text: str, _: str) -> Ref:
    parts = _split(text)
    if not parts.hostname:
        raise ConfigError(f"{_show(text)} names no host; allowed: {ALLOWED}")
    prefix = _parse_prefix(text, parts.path.removeprefix("/"))
    return Ref(Kind.HTTP, "", prefix, f"{parts.scheme}://{parts.netloc}")


def _parse_file(_: str, rest: str) -> Ref:
    host, slash, path = rest.partition("/")
    if host not in {"", "localhost"} or not slash:
        raise ConfigError("'file://' is not followed by / and a path; write file:///path, with three slashes")
    return _parse_path("/" + unquote(path))


def _parse_path(path: str) -> Ref:
    if "\0" in path:
        raise ConfigError(f"{_show(path)} is not a path: it holds a NUL character")
    return Ref(Kind.FILE, "", path.rstrip("/") or "/")


_PARSERS: dict[str, Callable[[str, str], Ref]] = {
    "s3": lambda text, rest: _parse_bucket(text, Kind.S3, rest),
    "gs": lambda text, rest: _parse_bucket(text, Kind.GCS, rest),
    "vast": _parse_vast,
    "http": _parse_http,
    "https": _parse_http,
    "file": _parse_file,
}


def _split(url: str) -> SplitResult:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigError(_NO_USER)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # the property checks the number
    except ValueError as error:
        raise ConfigError(f"{_show(url)} is not a URL: {error}") from error
    if "?" in url or "#" in url:
        place = url.partition("?")[0].partition("#")[0]
        what = "a query ('?')" if url[len(place)] == "?" else "a fragment ('#')"
        raise ConfigError(f"{_show(place)} is followed by {what}, which is never sent")
    return parts


def _default_root(ref: Ref) -> str:
    """Return the prefix of the root of a ref that names none.

    A key cannot hold the `%2F` of an URL, so that belongs to the root.
    """
    match ref.kind:
        case Kind.FILE:
            return posixpath.dirname(ref.prefix)
        case Kind.HTTP if not _has_odd_part(unquote(ref.prefix)):
            *_, behind = (0, *(slash.end() for slash in _SLASH.finditer(ref.prefix)))
            end = ref.prefix.find("/", behind)
            return "" if behind == 0 else ref.prefix if end < 0 else ref.prefix[:end]
        case _:
            return ""


def _contains(root_prefix: str, ref: Ref) -> bool:
    """Whether the prefix of *ref* starts with a root's; for paths `Ref.directory` tells, by its `..`."""
    if ref.kind is Kind.FILE or not root_prefix:
        return True
    return f"{ref.prefix}/".startswith(f"{root_prefix}/")


def _parse_prefix(text: str, prefix: str) -> str:
    """Return *prefix* without the `/` at its end."""
    return _check_parts(text, prefix if prefix.startswith("/") else prefix.removesuffix("/"))


def _has_odd_part(prefix: str) -> bool:
    return bool(prefix) and any(part in {"", ".", ".."} for part in prefix.split("/"))


def _check_parts(text: str, prefix: str) -> str:
    """Return *prefix* if each of its parts can be part of a key."""
    if _has_odd_part(prefix):
        raise ConfigError(f"the prefix of {_show(text)} has an empty part, '.' or '..'")
    return prefix


def _unknown_service(service: str) -> str:
    likely = _INTENDED.get(service.lower(), service.lower())
    hint = f"did you mean {likely}://? Allowed" if likely in _PARSERS else "allowed"
    return f"unknown service {_show(service)}; {hint}: {ALLOWED}"


def _show(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
