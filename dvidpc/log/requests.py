"""What the log says of a request: one line, as text or as fields."""

import json
import re
from typing import NamedTuple

_BARE = re.compile(r"[\w.:/@+~*-]+", re.ASCII)


class RequestLine(NamedTuple):
    """One request, answered or not. Texts that a client chose are shortened by who makes this."""

    time: float
    """When it ended, in seconds since the epoch."""
    id: str
    client: str
    method: str
    endpoint: str
    """Of a fixed set: see `journal.endpoint_of`."""
    instance: str
    call: str
    """The path below the instance, or all of it where there is none; never the query."""
    status: str
    """The HTTP status; `cut`: it broke off after its status line; `left`: the client did not wait."""
    ms: float
    blocks: int
    """How many were asked for."""
    omitted: int
    """How many were left out since they could not be read."""
    bytes: int
    """How many were sent, or will be."""
    upstream: int
    """Requests to buckets made for it."""
    hits: int
    """What it found in memory."""
    app: str
    user: str

    def fields(self) -> dict[str, str | int | float]:
        """Everything but the time; what is empty is left out."""
        named = self._asdict()
        del named["time"]
        named["ms"] = round(self.ms, 1)
        return {name: value for name, value in named.items() if value != "" and (value or name != "omitted")}

    def __str__(self) -> str:
        """The fields as `name=value`, those that a client chose quoted where need be."""
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
            f"upstream={self.upstream} hits={self.hits}{omitted}{tail}"
        )


class RequestLines(list[RequestLine]):
    """Several requests: what a log record has for a message, so that one write takes them all."""

    def __str__(self) -> str:
        """One line each, for a log that is not ours."""
        return "\n".join(map(str, self))


def _quoted(text: str) -> str:
    return json.dumps(text)
