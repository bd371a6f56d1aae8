"""Documents that describe the server: `/api/server/...` and `/api/load`, as values ready to be encoded.

Keys, their order and the types of their values are DVID's.  (server/web.go, 3400c2cb)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dvidpc.data.instance import DataType
from dvidpc.data.repo import Repo
from dvidpc.formats.dvid.go_json import JsonValue, format_duration, format_go_time, sorted_map

_DVID_VERSION = "v1.0.0-254"
"""The version of the DVID whose documents these follow; neuclease reads four numbers in it."""
_DATASTORE_VERSION = "0.11.0"
"""The datastore version of the DVID whose documents these follow."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What `/api/server/info` and the help pages say about this server."""

    host: str
    """Public name and port: `myserver:8000`."""
    note: str
    rpc_address: str
    cores: int
    """Cores that the server uses."""
    maximum_cores: int
    """Cores that the machine has."""
    max_open_files: int
    version: str
    started: float
    """Seconds since the epoch."""
    toml_location: str
    """Path of the configuration file, as given on the command line."""
    scheme: str = "http"
    """Of the URLs of this server: `http` or `https`."""
    mode: str = ""
    """`read only` if the configuration sets `rwmode` so. Empty otherwise: the document omits the key."""


@dataclass(frozen=True, slots=True)
class LoadCounters:
    """The figures of `/api/load`. Rates are those of the last whole second."""

    get_requests: int = 0
    """Reads from buckets per second."""
    bytes_read: int = 0
    """Bytes read from buckets per second."""
    tasks: int = 0
    """Number of asyncio tasks; DVID counts goroutines."""
    handlers_active: int = 0
    """Requests in flight, in percent of their limit."""


def server_info(facts: ServerFacts, now: float) -> dict[str, JsonValue]:
    """Return `/api/server/info`, whose values are all strings; *now* is in seconds since the epoch."""
    info = {
        "Cores": str(facts.cores),
        "DVID Version": f"{_DVID_VERSION}-{facts.version}",
        "Datastore Version": _DATASTORE_VERSION,
        "Host": facts.host,
        "Max Open Files": str(facts.max_open_files),
        "Maximum Cores": str(facts.maximum_cores),
        "Note": facts.note,
        "RPC Address": facts.rpc_address,
        "Server time": format_go_time(now),
        "Server uptime": format_duration(max(0.0, now - facts.started)),
        "Storage backend": "ngprecomputed",
        "TOML location": facts.toml_location,
    }
    return sorted_map(info | ({"Mode": facts.mode} if facts.mode else {}))


def load(counters: LoadCounters) -> dict[str, JsonValue]:
    """Return `/api/load`; figures without a counterpart in this server are 0."""
    return {
        "GET requests": counters.get_requests,
        "PUT requests": 0,
        "active CGo writes": 0,
        "file bytes read": 0,
        "file bytes written": 0,
        "goroutines": counters.tasks,
        "handlers active": counters.handlers_active,
        "key bytes read": 0,
        "key bytes written": 0,
        "pending log messages": 0,
        "value bytes read": counters.bytes_read,
        "value bytes written": 0,
    }


def groupcache() -> dict[str, JsonValue]:
    """Return `/api/server/groupcache`: all zeros, as a DVID that does not use groupcache answers."""
    cache = dict.fromkeys(("Bytes", "Items", "Gets", "Hits", "Evictions"), 0)
    counts = (
        "Gets",
        "CacheHits",
        "PeerLoads",
        "PeerErrors",
        "Loads",
        "LoadsDeduped",
        "LocalLoads",
        "LocalLoadErrs",
        "ServerRequests",
    )
    return {**dict.fromkeys(counts, 0), "MainCache": cache, "HotCache": cache}


def types(repo: Repo) -> dict[str, JsonValue]:
    """Return `/api/server/types`: the data types that instances of *repo* have."""
    used = {instance.data.data_type.name: instance.data.data_type for instance in repo.instances.values()}
    return sorted_map({name: data_type.url for name, data_type in used.items()})


def compiled_types(data_types: Iterable[DataType]) -> dict[str, JsonValue]:
    """Return `/api/server/compiled-types`: the data types that instances can have."""
    return sorted_map({data_type.name: data_type.url for data_type in data_types})
