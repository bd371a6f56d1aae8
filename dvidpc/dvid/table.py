"""The rows of the tables of routes and endpoints: what answers, and what the documents say about it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

from aiohttp import hdrs, web

from dvidpc.data.instance import Data, DataType, Instance

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

D = TypeVar("D", bound=Data)

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
    """All values it may have; empty: any."""
    required: bool = False
    """Whether a query without it is refused; a parameter in a path is always required."""


@dataclass(frozen=True, slots=True)
class Doc:
    """What `/api/openapi.json` and `/api/help` say of a route."""

    summary: str
    media: tuple[str, ...] = (TEXT,)
    """Content types of a successful answer."""
    query: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    forms: tuple[str, ...] = ()
    """For an endpoint: the forms of the path below the instance, with parameters as `{name}`; empty: the
    endpoint's name alone."""
    statuses: tuple[int, ...] = ()
    """Further statuses of an answer, besides 200 and what any route may answer."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and what answers some methods on it."""

    path: str
    handler: Handler
    doc: Doc
    methods: tuple[str, ...] = GET
    reads_body: bool = False
    """Whether the handler reads the body; else a client that asks first is told not to send it."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[D]):
    """What a data instance answers below its name."""

    handler: Callable[[web.Request, Instance[D]], Awaitable[web.StreamResponse]]
    post_refusal: str | None = None
    """DVID's refusal of a POST, `{name}` being the instance; None: that the node is locked."""
    doc: Doc = Doc("")
    is_document: bool = False
    """Whether it is answered from memory, and hence without waiting for its turn."""


@dataclass(frozen=True, slots=True)
class Family(Generic[D]):
    """The types of data that share a table of endpoints."""

    name: str
    """As `DataType.family`."""
    types: tuple[DataType, ...]
    """In the order of their names."""
    endpoints: Mapping[str, Endpoint[D]]
    """By the first part of the path below an instance."""
    introduce: Callable[[str], str]
    """Writes the head of the help page for the type of that name."""


class Api(NamedTuple):
    """Everything the server answers."""

    routes: tuple[Route, ...]
    families: Mapping[str, Family[Any]]
    """By name."""

    def data_types(self) -> Iterator[DataType]:
        """Yield the types that instances can have."""
        for family in self.families.values():
            yield from family.types

    def endpoint_names(self) -> Iterator[str]:
        """Yield the names of all endpoints of instances."""
        for family in self.families.values():
            yield from family.endpoints

    def family_of(self, type_name: str) -> Family[Any] | None:
        """Return the family of a type; None if there is no such type."""
        for family in self.families.values():
            if any(data_type.name == type_name for data_type in family.types):
                return family
        return None


API: Final = web.AppKey("api", Api)
