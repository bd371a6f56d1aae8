"""The sections of the configuration as frozen values, with every default.

A field's annotation says how it is written in the file. The string below it is its entry in the configuration
reference. Times are in seconds and sizes in bytes unless a name says otherwise.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from dvidpc.config.sizes import CACHE_SIZE, DISK_SIZE, SIZE
from dvidpc.config.store_section import StoreConfig
from dvidpc.config.values import (
    ABSOLUTE_PATH,
    BASE_PATH,
    COUNT,
    FLAG,
    FRACTION,
    LISTEN_ADDRESS,
    OPTIONAL_ADDRESS,
    OPTIONAL_TEXT,
    PATH,
    SECONDS,
    SECONDS_OR_NONE,
    TEXT,
    TEXTS,
    UUID,
    WHOLE_SECONDS,
    Address,
    Key,
    UnixAddress,
    choice,
    integer,
)
from dvidpc.log.settings import LogSettings

_KIB = 1024
_MIB = 1024**2
_GIB = 1024**3
_DAY_S = 24 * 3600
_MOST_WORKERS = 1024
_MOST_ATTEMPTS = 100
_LOCAL = Address("localhost", 8000)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`[server]`: DVID's keys and our own, in any case."""

    http_address: Annotated[Address | UnixAddress, Key(LISTEN_ADDRESS, "httpAddress")] = _LOCAL
    """Where HTTP is served, as `host:port` in Go's syntax. `:8000` listens on every interface.
    `unix:/run/dvidpc.sock` is a socket in the file system, for a proxy on this machine. Sockets that systemd
    passes take precedence."""
    rpc_address: Annotated[str, Key(TEXT, "rpcAddress")] = "localhost:8001"
    """The RPC address that `/api/server/info` reports. No RPC is served."""
    host: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The server's name in `/api/server/info` and in messages. Unset: the machine's host name."""
    note: Annotated[str, Key(TEXT)] = ""
    """A remark about this server, shown in `/api/server/note` and `/api/server/info`."""
    web_client: Annotated[Path | None, Key(PATH, "webClient")] = None
    """A directory with a web client, served where no API route matches. Unset: none."""
    web_redirect_path: Annotated[str, Key(TEXT, "webRedirectPath")] = ""
    """Where a request for a missing page of the web client is redirected. Takes precedence over
    `webDefaultFile`. Unset: nowhere."""
    web_default_file: Annotated[str, Key(TEXT, "webDefaultFile")] = ""
    """The file that is sent instead of a missing page of the web client. Unset: none."""
    cors_domains: Annotated[tuple[str, ...], Key(TEXTS, "corsDomains")] = ()
    """Origins whose web pages may read, such as `https://example.org`, or `*` for all. Pages that this server
    or this machine serves (`http://localhost:...`) may always read. Unset: only those, and every page for
    stores that are `anonymous`; DVID allows none."""
    allowed_hosts: Annotated[tuple[str, ...], Key(TEXTS)] = ()
    """Ours: the names under which clients may reach this server, such as `em.example.org`, or `*` for any.
    Addresses and `localhost` are always allowed. Unset: any name, but only `localhost` and `host` where the
    server listens on loopback only, because web pages could reach it under names of their own."""
    allow_timing: Annotated[bool, Key(FLAG, "allowTiming")] = False
    """Whether to send `Timing-Allow-Origin: *`."""
    max_age_s: Annotated[int, Key(WHOLE_SECONDS, "max_age")] = 60
    """Ours: seconds for which a browser may show data again without asking. 0: it asks every time."""
    stale_while_revalidate_s: Annotated[int, Key(WHOLE_SECONDS, "stale_while_revalidate")] = 60
    """Ours: seconds after `max_age` for which a browser may show data while it asks whether they changed."""
    tls_cert: Annotated[Path | None, Key(PATH)] = None
    """Ours: a PEM file with the certificate of this server and those of its issuers. With it the server
    speaks HTTPS (TLS 1.2 or later). A changed file is used from then on. Unset: HTTP."""
    tls_key: Annotated[Path | None, Key(PATH)] = None
    """Ours: a PEM file with the private key, not encrypted. Unset: it is in the file `tls_cert`."""
    rwmode: Annotated[str, Key(TEXT)] = ""
    """DVID's `readonly` or `fullwrite`. This server is read-only in every mode."""
    block_list_file: Annotated[Path | None, Key(PATH, "blockListFile")] = None
    """A file with users and addresses to refuse. Relative to the configuration file; in DVID, to the
    working directory. Unset: nobody is refused."""
    pid_file: Annotated[Path | None, Key(PATH, "pidFile")] = None
    """The file that the process id is written to. Unset: none."""
    shutdown_delay_s: Annotated[float, Key(SECONDS_OR_NONE, "shutdownDelay")] = 5.0
    """Seconds between the signal to stop and the first refused request, so that a load balancer notices in
    time."""
    workers: Annotated[int, Key(integer(1, _MOST_WORKERS, 2))] = 1
    """Ours: the number of processes that serve. Each has its own caches and limits."""
    base_path: Annotated[str, Key(BASE_PATH, "basePath")] = ""
    """Ours: the path below which everything is served, such as `/dvid`. Unset: the root."""


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """`[logging]`: DVID's keys in any case, and our own `format`."""

    logfile: Annotated[Path | None, Key(PATH)] = None
    """The log file. Unset: messages go to stderr."""
    max_log_size_mb: Annotated[int, Key(integer(0, 2**20, 500), "max_log_size")] = 100
    """The size in MiB at which the log file is rotated. 0: never."""
    max_log_age_days: Annotated[int, Key(integer(0, 36500, 30), "max_log_age")] = 0
    """Days after which rotated log files are deleted. 0: never."""
    format: Annotated[Literal["text", "json"], Key(choice("text", "json"))] = "text"
    """Ours: `text` for people, or `json` for one JSON object per line."""

    @property
    def settings(self) -> LogSettings:
        """The section in the log's own units: bytes and seconds."""
        return LogSettings(
            self.logfile, self.max_log_size_mb * _MIB, self.max_log_age_days * _DAY_S, self.format
        )


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """`[repo]`: the one repo that the server shows."""

    uuid: Annotated[str | None, Key(UUID)] = None
    """The repo's UUID, 32 hex digits. Unset: derived from the `ref` of the first store."""
    alias: Annotated[str, Key(TEXT)] = ""
    """The repo's short name."""
    description: Annotated[str, Key(TEXT)] = ""
    """The repo's description."""


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """`[cache]`: memory for caches, in each worker, and a disk cache that all workers share."""

    memory: Annotated[int, Key(CACHE_SIZE)] = 512 * _MIB
    """Maximum size of the cache of chunks and blocks. 0: no cache."""
    index_memory: Annotated[int, Key(CACHE_SIZE)] = 128 * _MIB
    """Maximum size of the cache of shard indexes and minishard indexes. 0: no cache."""
    disk: Annotated[int, Key(DISK_SIZE)] = 0
    """Maximum size of the cache on disk, such as `"200GiB"`; at least 64 MiB. It keeps what is read from
    buckets over restarts, and all workers and servers that name the same `disk_path` share it. Volumes in
    local directories are not cached. 0: no cache."""
    disk_path: Annotated[Path | None, Key(ABSOLUTE_PATH)] = None
    """The directory of the cache on disk, as an absolute path on a local disk. Required with `disk`. Only
    its subdirectory `dvidpc-cache` is used."""


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """`[limits]`: limits on sizes, counts and times."""

    max_request_line: Annotated[int, Key(SIZE)] = 2 * _MIB
    """Maximum size of a request line or of one header."""
    max_blocks: Annotated[int, Key(COUNT)] = 32_768
    """Maximum number of blocks in one request."""
    max_response: Annotated[int, Key(SIZE)] = 512 * _MIB
    """Maximum size of a response whose size is known in advance, such as uncompressed blocks."""
    max_cutout: Annotated[int, Key(SIZE)] = 3 * _GIB
    """Maximum size of one raw cut-out, which is streamed."""
    max_mesh: Annotated[int, Key(SIZE)] = 128 * _MIB
    """Maximum size of a mesh in memory. A larger one is served at a coarser level of detail, or refused."""
    max_cells: Annotated[int, Key(COUNT)] = 4_096
    """Maximum number of cells of a spatial index that one request for annotations may read."""
    max_annotations: Annotated[int, Key(COUNT)] = 1_000_000
    """Maximum number of annotations that one request may decode."""
    max_sparsevol: Annotated[int, Key(SIZE)] = 128 * _MIB
    """Maximum size of a sparse volume that is sent with its number of runs or compressed, and therefore made
    before it is sent. Formats that are streamed have no limit."""
    header_timeout_s: Annotated[float, Key(SECONDS, "header_timeout")] = 15.0
    """Seconds in which a client must send the head of a request."""
    keepalive_timeout_s: Annotated[float, Key(SECONDS, "keepalive_timeout")] = 75.0
    """Seconds after which an idle connection is closed."""
    write_stall_timeout_s: Annotated[float, Key(SECONDS, "write_stall_timeout")] = 60.0
    """Seconds after which a connection is dropped because the client reads nothing of a response."""
    connect_timeout_s: Annotated[float, Key(SECONDS, "connect_timeout")] = 3.0
    """Seconds in which a connection to a bucket must be established."""
    first_byte_timeout_s: Annotated[float, Key(SECONDS, "first_byte_timeout")] = 10.0
    """Seconds in which a bucket must start to answer."""
    attempt_timeout_s: Annotated[float, Key(SECONDS, "attempt_timeout")] = 20.0
    """Seconds for one attempt to read from a bucket, from start to end."""
    attempts: Annotated[int, Key(integer(1, _MOST_ATTEMPTS, 3))] = 3
    """Number of attempts to read from a bucket before the read fails."""
    backoff_min_s: Annotated[float, Key(SECONDS_OR_NONE, "backoff_min")] = 0.05
    """Shortest pause between two attempts, in seconds. Pauses are random and grow with each attempt."""
    backoff_max_s: Annotated[float, Key(SECONDS_OR_NONE, "backoff_max")] = 1.0
    """Longest pause between two attempts, in seconds, unless the bucket sends `Retry-After`."""
    max_retry_after_s: Annotated[float, Key(SECONDS_OR_NONE, "max_retry_after")] = 5.0
    """Longest `Retry-After` of a bucket, in seconds, that is waited for. A longer one ends the attempts."""
    retry_budget: Annotated[float, Key(FRACTION)] = 0.2
    """Maximum share of the requests to a bucket that may be retries. A bucket with little traffic may be
    retried twice a second. 0: no retries."""
    upstream_concurrency: Annotated[int, Key(COUNT)] = 64
    """Maximum number of concurrent requests to one bucket. Lowered while the bucket answers 429 or 503."""
    request_deadline_s: Annotated[float, Key(SECONDS, "request_deadline")] = 30.0
    """Seconds in which a response to a request must start."""
    max_in_flight: Annotated[int, Key(COUNT)] = 200
    """Maximum number of requests that each worker processes at a time."""
    max_waiting: Annotated[int, Key(integer(0, 2**31 - 1, 400))] = 400
    """Maximum number of requests that wait in each worker for one of those places. 0: none waits."""
    wait_timeout_s: Annotated[float, Key(SECONDS, "wait_timeout")] = 5.0
    """Seconds that a request waits for a place before it is refused."""
    negative_ttl_s: Annotated[float, Key(SECONDS_OR_NONE, "negative_ttl")] = 30.0
    """Seconds for which a missing object is remembered as missing. 0: not at all."""
    drain_timeout_s: Annotated[float, Key(SECONDS_OR_NONE, "drain_timeout")] = 30.0
    """Seconds that in-flight requests have to finish when the server stops, after `shutdownDelay`."""
    omit_failed_blocks_for: Annotated[tuple[str, ...], Key(TEXTS)] = ("lowtis",)
    """Clients, by the `app` of their requests in upper or lower case, that get a response without the blocks
    that could not be read. Other clients get an error."""
    patient_wait_timeout_s: Annotated[float, Key(SECONDS, "patient_wait_timeout")] = 100.0
    """Seconds that a request for blocks by one of these clients may wait, for a place and for blocks that
    fail, before blocks are left out. It is never refused. libdvid, and so NeuTu, waits for 120 s."""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """`[metrics]`: metrics for Prometheus, on a separate port."""

    address: Annotated[Address | None, Key(OPTIONAL_ADDRESS)] = None
    """Where `/metrics` is served, as `host:port`. Each further worker uses the next port. Unset: nowhere."""

    def of_worker(self, number: int) -> "MetricsConfig":
        """Return the section for the worker *number*, counted from 0."""
        if self.address is None or self.address.port == 0:
            return self
        return MetricsConfig(Address(self.address.host, self.address.port + number))


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """`[auth]`: who may read; DVID's keys, of which only `enforce` is needed."""

    enforce: Annotated[Literal["none", "token"], Key(choice("none", "token"))] = "none"
    """`"token"`: readers need a JSON Web Token (HS256, with the claim `user`) in the header `Authorization:
    Bearer ...`. The secret is in the environment variable `DVID_JWT_SECRET_KEY`, at least 32 bytes long.
    `/healthz` and `/readyz` need no token. `"none"`: everybody may read. The server does not start with any
    other value. `proxy_address` without `enforce` means `"token"`, as in DVID, and `no_enforce = true` means
    `"none"`."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration."""

    path: Path
    """The file, as it was named at the start; what errors name in its place if there is none."""
    server: ServerConfig
    logging: LoggingConfig
    repo: RepoConfig
    cache: CacheConfig
    limits: LimitsConfig
    metrics: MetricsConfig
    auth: AuthConfig
    stores: tuple[StoreConfig, ...]
    """The volumes, in the order of the file; at least one."""
    notes: tuple[str, ...]
    """DVID's settings that have no effect here; one line each, for the log."""
    warnings: tuple[str, ...]
    """Probable mistakes in the file; one line each, for the log."""
    text: bytes = field(default=b"", compare=False)
    """The text of the file; two that mean the same are equal."""
    is_file: bool = True
    """Whether there is a file, which can be read again."""
