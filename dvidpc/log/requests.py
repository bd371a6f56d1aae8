"""Describe one request for the log, as a line of text or as named fields."""

import json
import re
from typing import NamedTuple

_SELDOM = frozenset({"disk", "omitted"})
"""Numbers that are left out if they are 0."""
_BARE = re.compile(r"[\w.:/@+~*-]+", re.ASCII)


class RequestLine(NamedTuple):
    """One request, answered or not. The caller shortens the texts that a client chose."""

    time: float
    """When the request ended, in seconds since 1970."""
    id: str
    """The `X-Request-Id` of a proxy, or an id of our own."""
    client: str
    method: str
    endpoint: str
    """One of a fixed set of names, so that clients cannot invent any."""
    instance: str
    call: str
    """The path below the instance, or the whole path if there is no instance; never the query."""
    status: str
    """The HTTP status; `cut`: the server aborted the response after its status line; `left`: the client
    disconnected before there was a response."""
    ms: float
    """How long the request took, in milliseconds."""
    blocks: int
    """Blocks requested."""
    omitted: int
    """Blocks left out because they could not be read."""
    bytes: int
    """Bytes sent, or about to be sent."""
    upstream: int
    """Requests made to buckets."""
    hits: int
    """Blocks, chunks and indexes found in memory."""
    disk: int
    """Reads from buckets that the disk cache answered."""
    app: str
    """What the client calls itself (`?app=`)."""
    user: str
    """Who the client says it works for (`?u=`)."""

    def fields(self) -> dict[str, str | int | float]:
        """Return all fields except the time, without empty texts, and without `disk` and `omitted` if 0."""
        named = self._asdict()
        del named["time"]
        named["ms"] = round(self.ms, 1)
        return {
            name: value for name, value in named.items() if value != "" and (value or name not in _SELDOM)
        }

    def __str__(self) -> str:
        """Return the fields as `name=value`; texts that a client chose are quoted if they need it."""
        disk = f" disk={self.disk}" if self.disk else ""
        omitted = f" omitted={self.omitted}" if self.omitted else ""
        tail = "".join(
            f" {name}={value if _BARE.fullmatch(value) else _quoted(value)}"
            for name, value in (
                ("instance", self.instance),
                ("call", self.call),
                ("app", self.app),
                ("user", self.user),
            )
            if value
        )
        return (
            f"request id={self.id} client={self.client} method={self.method} endpoint={self.endpoint} "
            f"status={self.status} ms={self.ms:.1f} blocks={self.blocks} bytes={self.bytes} "
            f"upstream={self.upstream} hits={self.hits}{disk}{omitted}{tail}"
        )


class RequestLines(list[RequestLine]):
    """Several requests as the message of one log record, so that one write logs them all."""

    def __str__(self) -> str:
        """Return one line per request, for log handlers that are not ours."""
        return "\n".join(map(str, self))


def _quoted(text: str) -> str:
    return json.dumps(text)
