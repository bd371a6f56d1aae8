"""What one row of the table of routes says: who answers, and what the documents about it say."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from dvidpc.data.repo import Instance

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
InstanceHandler = Callable[[web.Request, Instance], Awaitable[web.StreamResponse]]

TEXT = "text/plain"
JSON = "application/json"
HTML = "text/html"
OCTETS = "application/octet-stream"
GET = (hdrs.METH_GET, hdrs.METH_HEAD)


class Parameter(NamedTuple):
    """A value that a request gives, in its path or its query."""

    meaning: str
    example: str
    values: tuple[str, ...] = ()
    """Everything it may be; empty: it is free."""
    required: bool = False
    """Whether a query that lacks it is refused; what stands in a path always is."""


@dataclass(frozen=True, slots=True)
class Doc:
    """What `/api/openapi.json` and `/api/help` say of a route."""

    summary: str
    media: tuple[str, ...] = (TEXT,)
    """Content types of a good answer."""
    query: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    forms: tuple[str, ...] = ()
    """Of an endpoint: what the path below the instance looks like, `{name}` being a parameter of the path;
    empty: the endpoint's name alone."""
    statuses: tuple[int, ...] = ()
    """What it may answer beside 200 and what any route may."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and what answers some methods on it."""

    path: str
    handler: Handler
    doc: Doc
    methods: tuple[str, ...] = GET
    reads_body: bool = False
    """Whether the handler wants what a client sends; else a client that asks first is told not to."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a data instance does below its name."""

    handler: InstanceHandler
    post_refusal: str | None = None
    """What a POST is told in DVID's own words, `{name}` being the instance; None: that the node is locked."""
    doc: Doc = Doc("")


class Api(NamedTuple):
    """Everything this server answers."""

    routes: tuple[Route, ...]
    endpoints: Mapping[str, Endpoint]
    """Of a data instance, by the first part of the path below it."""


API: Final = web.AppKey("api", Api)
