"""The row types of the tables of routes and endpoints: a handler and its documentation."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

from aiohttp import hdrs, web

from dvidpc.data.instance import Data, DataType, Instance

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

D = TypeVar("D", bound=Data)
D_contra = TypeVar("D_contra", bound=Data, contravariant=True)

TEXT = "text/plain"
JSON = "application/json"
HTML = "text/html"
OCTETS = "application/octet-stream"
GET = (hdrs.METH_GET, hdrs.METH_HEAD)


class Parameter(NamedTuple):
    """The documentation of a parameter in a path or a query."""

    meaning: str
    example: str
    values: tuple[str, ...] = ()
    """All allowed values; empty if any value is allowed."""
    required: bool = False
    """Whether a query without it is refused. A path parameter is always required."""


@dataclass(frozen=True, slots=True)
class Doc:
    """The documentation of a route in `/api/openapi.json` and `/api/help`."""

    summary: str
    media: tuple[str, ...] = (TEXT,)
    """Content types of a successful answer."""
    query: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    forms: tuple[str, ...] = ()
    """For an endpoint: the forms of its path below the instance, with parameters as `{name}`. Empty if the
    path is only the endpoint's name."""
    statuses: tuple[int, ...] = ()
    """Statuses of an answer besides 200 and those that any route may have."""


@dataclass(frozen=True, slots=True)
class Route:
    """A path and the handler of its methods."""

    path: str
    handler: Handler
    doc: Doc
    methods: tuple[str, ...] = GET
    reads_body: bool = False
    """Whether the handler reads the request body. If not, `Expect: 100-continue` gets no 100 answer."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[D_contra]):
    """An endpoint of data instances: the first part of the path below the instance."""

    handler: Callable[[web.Request, Instance[D_contra]], Awaitable[web.StreamResponse]]
    post_refusal: str | None = None
    """DVID's refusal of a POST, with `{name}` for the instance; None: the node is locked."""
    doc: Doc = Doc("")
    reads_post: bool = False
    """Whether a POST is another way to read, because not every client can send a GET with a body."""
    is_document: bool = False
    """Whether it is answered from memory and therefore bypasses admission control."""
    omits_failed: bool = False
    """Whether it can leave out blocks that failed, for the clients of `omit_failed_blocks_for`."""


@dataclass(frozen=True, slots=True)
class Family(Generic[D]):
    """The data types that share a table of endpoints."""

    name: str
    """The value of `DataType.family`."""
    types: tuple[DataType, ...]
    """Sorted by name."""
    endpoints: Mapping[str, Endpoint[D]]
    """Endpoints by the first part of the path below an instance."""
    introduce: Callable[[str], str]
    """Returns the head of the help page for the type of that name."""


class Api(NamedTuple):
    """The tables of everything that the server answers."""

    routes: tuple[Route, ...]
    families: Mapping[str, Family[Any]]
    """Families by name."""

    def data_types(self) -> Iterator[DataType]:
        """Yield the data types that instances can have."""
        for family in self.families.values():
            yield from family.types

    def is_endpoint(self, name: str) -> bool:
        """Return whether the instances of any family have that endpoint."""
        return any(name in family.endpoints for family in self.families.values())

    def family_of(self, type_name: str) -> Family[Any] | None:
        """Return the family of a data type; None if the type is unknown."""
        for family in self.families.values():
            if any(data_type.name == type_name for data_type in family.types):
                return family
        return None


API: Final = web.AppKey("api", Api)
