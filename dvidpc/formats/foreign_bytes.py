"""Recognises bytes that were stored or sent in place of an object, to explain why that cannot be read."""

import re
from typing import Final

_FRAME: Final = re.compile(rb"[0-9a-fA-F]{1,8}(?:;chunk-signature=[0-9a-f]{64})?\r\n")
_LAST_FRAME: Final = re.compile(
    rb"\r\n0(?:;chunk-signature=[0-9a-f]{64})?\r\n(?:x-amz-[ -~]*\r\n)*(?:\r\n)?\Z"
)
_TAIL: Final = 1024
"""Bytes at the end in which the last frame of an upload is looked for."""
_BEGINNINGS: Final = (
    (b"<!doctype html", "it is a web page, such as a login, or what the server sends for any missing file"),
    (b"<html", "it is a web page, such as a login, or what the server sends for any missing file"),
    (b"<error>", "it is an error message of a storage service"),
    (b"version https://git-lfs.github.com/spec/", "it is a pointer of Git LFS: git lfs pull"),
    (b"/annex/objects/", "it is a pointer of git-annex: git annex get, or datalad get"),
    (b"../.git/annex/objects/", "it is a pointer of git-annex: git annex get, or datalad get"),
    (b"\x1f\x8b", "it is compressed by gzip, and no Content-Encoding says so"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd, and no Content-Encoding says so"),
)
"""How foreign bytes begin, in lower case."""


def explain_foreign(data: bytes) -> str:
    """Return what to add to an error about *data*; empty if nothing explains it."""
    if not data:
        return "; it is empty (0 bytes)"
    head = re.sub(rb"\A<\?xml[^>]*>\s*", b"", data[:256].removeprefix(b"\xef\xbb\xbf").lstrip()).lower()
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return f"; {what}"
    if _FRAME.match(data) and _LAST_FRAME.search(data[-_TAIL:]):
        return (
            "; it holds the frames of its upload (aws-chunked), which the service has stored: upload it "
            "again with AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
        )
    return ""
