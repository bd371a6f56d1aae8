"""What the configuration says, section by section, with every default.

A field's annotation tells how it is written in the file, the string below it what it means.
Times are in seconds and sizes in bytes unless a name says otherwise.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from dvidpc.config import store_values as of_store
from dvidpc.config.values import (
    ADDRESS,
    BASE_PATH,
    CACHE_SIZE,
    COUNT,
    ENDPOINT,
    FLAG,
    FRACTION,
    OPTIONAL_ADDRESS,
    OPTIONAL_TEXT,
    PATH,
    SECONDS,
    SECONDS_OR_NONE,
    SIZE,
    TEXT,
    TEXTS,
    UUID,
    Address,
    Kind,
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


@dataclass(frozen=True, slots=True)
class Key:
    """How a field is written in the file."""

    kind: Kind
    name: str | None = None
    """The key; None: the field's own name."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`[server]`: DVID's keys, taken in any case as DVID takes them, and two of ours."""

    http_address: Annotated[Address, Key(ADDRESS, "httpAddress")] = Address("localhost", 8000)  # noqa: RUF009 - frozen
    """Where HTTP is served, `host:port` as Go writes it; `:8000` is every interface."""
    rpc_address: Annotated[str, Key(TEXT, "rpcAddress")] = "localhost:8001"
    """What `/api/server/info` names as DVID's RPC address; no RPC is served."""
    host: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The server's name in `/api/server/info` and in messages; unset: the machine's own."""
    note: Annotated[str, Key(TEXT)] = ""
    """What `/api/server/note` and `/api/server/info` say about this server."""
    web_client: Annotated[Path | None, Key(PATH, "webClient")] = None
    """The directory served where no API route matches, relative to the file; unset: none."""
    web_redirect_path: Annotated[str, Key(TEXT, "webRedirectPath")] = ""
    """Where a missing page of the web client redirects to; comes before webDefaultFile; unset: nowhere."""
    web_default_file: Annotated[str, Key(TEXT, "webDefaultFile")] = ""
    """The file sent in place of a missing page of the web client; unset: none."""
    cors_domains: Annotated[tuple[str, ...], Key(TEXTS, "corsDomains")] = ()
    """Origins whose pages may read, such as `http://example.org`, or `*` for all; unset: all, where
    DVID lets none."""
    allow_timing: Annotated[bool, Key(FLAG, "allowTiming")] = False
    """Whether to send `Timing-Allow-Origin: *`."""
    rwmode: Annotated[str, Key(TEXT)] = ""
    """DVID's `readonly` or `fullwrite`; every mode is read-only here."""
    block_list_file: Annotated[Path | None, Key(PATH, "blockListFile")] = None
    """Users and addresses to refuse, relative to the file (DVID: to the working directory); unset: none."""
    pid_file: Annotated[Path | None, Key(PATH, "pidFile")] = None
    """Where the process id is written, relative to the file; unset: nowhere."""
    shutdown_delay_s: Annotated[float, Key(SECONDS_OR_NONE, "shutdownDelay")] = 5.0
    """Seconds between a signal to stop and the first refused request, for a balancer to notice."""
    workers: Annotated[int, Key(integer(1, _MOST_WORKERS, 2))] = 1
    """Ours: how many processes serve; each has caches and limits of its own."""
    base_path: Annotated[str, Key(BASE_PATH, "basePath")] = ""
    """Ours: the path below which everything is served, such as `/dvid`; unset: the root."""


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """`[logging]`: DVID's keys and one of ours."""

    logfile: Annotated[Path | None, Key(PATH)] = None
    """The file for log messages, relative to the configuration file; unset: stderr."""
    max_log_size_mb: Annotated[int, Key(integer(0, 2**20, 500), "max_log_size")] = 100
    """MiB at which the log file is put aside and a new one begun; 0: never."""
    max_log_age_days: Annotated[int, Key(integer(0, 36500, 30), "max_log_age")] = 0
    """Days after which log files put aside are removed; 0: never."""
    format: Annotated[Literal["text", "json"], Key(choice("text", "json"))] = "text"
    """Ours: a line for people, or one JSON object a line."""

    @property
    def settings(self) -> LogSettings:
        """The section in the log's own units: bytes and seconds."""
        return LogSettings(
            self.logfile, self.max_log_size_mb * _MIB, self.max_log_age_days * _DAY_S, self.format
        )


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """`[repo]`: how the one repo presents itself."""

    uuid: Annotated[str | None, Key(UUID)] = None
    """32 hex digits; unset: derived from the `ref` of the first store."""
    alias: Annotated[str, Key(TEXT)] = ""
    """The repo's short name."""
    description: Annotated[str, Key(TEXT)] = ""
    """The repo's description."""


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """`[cache]`: memory for what was read, in each worker."""

    memory: Annotated[int, Key(CACHE_SIZE)] = 512 * _MIB
    """Most bytes of chunks and blocks to keep; 0: none."""
    index_memory: Annotated[int, Key(CACHE_SIZE)] = 128 * _MIB
    """Most bytes of shard and minishard indexes to keep; 0: none."""


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """`[limits]`: how much, how many and how long."""

    max_request_line: Annotated[int, Key(SIZE)] = 2 * _MIB
    """Most bytes of a request line or of one header."""
    max_blocks: Annotated[int, Key(COUNT)] = 32_768
    """Most blocks of one request."""
    max_response: Annotated[int, Key(SIZE)] = 512 * _MIB
    """Most bytes of an answer whose size is known beforehand: uncompressed blocks."""
    max_cutout: Annotated[int, Key(SIZE)] = 3 * _GIB
    """Most bytes of one raw cut-out."""
    header_timeout_s: Annotated[float, Key(SECONDS, "header_timeout")] = 15.0
    """Seconds a client has to send a request's head."""
    keepalive_timeout_s: Annotated[float, Key(SECONDS, "keepalive_timeout")] = 75.0
    """Seconds an idle connection is kept."""
    write_stall_timeout_s: Annotated[float, Key(SECONDS, "write_stall_timeout")] = 60.0
    """Seconds a client may take nothing of an answer before the connection is dropped."""
    connect_timeout_s: Annotated[float, Key(SECONDS, "connect_timeout")] = 3.0
    """Seconds to connect to a bucket."""
    first_byte_timeout_s: Annotated[float, Key(SECONDS, "first_byte_timeout")] = 10.0
    """Seconds until a bucket begins to answer."""
    attempt_timeout_s: Annotated[float, Key(SECONDS, "attempt_timeout")] = 20.0
    """Seconds for one attempt at a bucket, all in all."""
    attempts: Annotated[int, Key(integer(1, _MOST_ATTEMPTS, 3))] = 3
    """How often a bucket is asked before a read has failed."""
    backoff_min_s: Annotated[float, Key(SECONDS_OR_NONE, "backoff_min")] = 0.05
    """Least seconds between two attempts; the pause is drawn at random, and longer after each attempt."""
    backoff_max_s: Annotated[float, Key(SECONDS_OR_NONE, "backoff_max")] = 1.0
    """Most seconds between two attempts, where the bucket names no time itself."""
    max_retry_after_s: Annotated[float, Key(SECONDS_OR_NONE, "max_retry_after")] = 5.0
    """The longest `Retry-After` of a bucket, in seconds, that is waited for."""
    retry_budget: Annotated[float, Key(FRACTION)] = 0.2
    """Which share of the requests to a bucket may be second and further attempts."""
    upstream_concurrency: Annotated[int, Key(COUNT)] = 64
    """Most requests under way to one bucket; lowered while it answers 429 or 503."""
    request_deadline_s: Annotated[float, Key(SECONDS, "request_deadline")] = 30.0
    """Seconds until a request must have begun to be answered."""
    max_in_flight: Annotated[int, Key(COUNT)] = 200
    """Most requests worked on at a time, in each worker."""
    max_waiting: Annotated[int, Key(integer(0, 2**31 - 1, 400))] = 400
    """Most requests that wait for their turn, in each worker; 0: none waits."""
    wait_timeout_s: Annotated[float, Key(SECONDS, "wait_timeout")] = 5.0
    """Seconds a request waits for its turn before it is refused."""
    negative_ttl_s: Annotated[float, Key(SECONDS_OR_NONE, "negative_ttl")] = 30.0
    """Seconds for which a proven absence is remembered; 0: not at all."""
    drain_timeout_s: Annotated[float, Key(SECONDS_OR_NONE, "drain_timeout")] = 30.0
    """Seconds that requests under way have to end when the server stops, after shutdownDelay."""
    omit_failed_blocks_for: Annotated[tuple[str, ...], Key(TEXTS)] = ("lowtis",)
    """The `app`s that get an answer without a block that could not be read, where others get an error."""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """`[metrics]`: numbers for Prometheus, on a port of their own."""

    address: Annotated[Address | None, Key(OPTIONAL_ADDRESS)] = None
    """Where `/metrics` is served, `host:port` as httpAddress, and by each further worker one port higher;
    unset: nowhere."""

    def of_worker(self, number: int) -> "MetricsConfig":
        """The section as the worker *number*, from 0, is to have it."""
        if self.address is None or self.address.port == 0:
            return self
        return MetricsConfig(Address(self.address.host, self.address.port + number))


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """`[auth]`: who may read."""

    enforce: Literal["none", "token"] = "none"
    """`token`: who has a JSON Web Token signed with `DVID_JWT_SECRET_KEY`; `none`: everybody."""


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """`[store.<alias>]` with `engine = "ngprecomputed"`: one volume, and who we are where it lies."""

    alias: str
    """The store's name in the file."""
    ref: Annotated[str, Key(of_store.REF)]
    """Where the volume lies: `s3://bucket/prefix`, `gs://...`, `vast://endpoint/bucket`, `http(s)://...`,
    `file:///path`, an absolute path, or `bucket/prefix`, which is GCS as in DVID."""
    engine: Annotated[Literal["ngprecomputed"], Key(of_store.ENGINE)] = "ngprecomputed"
    """What makes a store a volume to serve; stores of other engines are passed over."""
    root: Annotated[str | None, Key(of_store.ROOT)] = None
    """What the keys and redirects of the volume may not lead out of, in the form of `ref`; unset: the bucket,
    the web server, or the directory that holds the volume's."""
    instance: Annotated[str | None, Key(of_store.INSTANCE)] = None
    """The data name of scale 0; further scales are `name_1`, `name_2`, ...; unset: served as nothing."""
    uuid: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The version DVID would put the instances in; here all are in the one repo's one version."""
    testing: Annotated[bool, Key(FLAG)] = False
    """Taken as DVID takes it, and without effect as there."""
    endpoint: Annotated[str | None, Key(ENDPOINT)] = None
    """The URL of the service; unset: the vendor's own, or what the environment says."""
    region: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The bucket's region; unset: what the environment says, else found out."""
    profile: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """A profile of `~/.aws`; unset: what the environment says."""
    anonymous: Annotated[bool, Key(FLAG)] = False
    """Whether requests go unsigned, and no credentials are looked for."""
    path_style: Annotated[bool | None, Key(of_store.PATH_STYLE)] = None
    """Whether the bucket's name stands in the path, not in the host name; `auto`: as the service needs it."""
    ca_bundle: Annotated[Path | None, Key(PATH)] = None
    """A file of certificates to trust, relative to the configuration file; unset: the system's."""
    requester_pays: Annotated[bool, Key(FLAG)] = False
    """Whether we agree to be billed for what we read."""
    user_project: Annotated[str | None, Key(OPTIONAL_TEXT)] = None
    """The Google project to bill; unset: none is named."""
    block_size: Annotated[int | None, Key(of_store.BLOCK_SIZE)] = 64
    """The side of a block in voxels; None (`chunk` in the file): the volume's chunk size, as in DVID."""
    missing_status: Annotated[frozenset[int], Key(of_store.MISSING_STATUS)] = frozenset({404})
    """The HTTP statuses that mean "no such object"."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the file says."""

    path: Path
    """The file, as it was named at start."""
    server: ServerConfig
    logging: LoggingConfig
    repo: RepoConfig
    cache: CacheConfig
    limits: LimitsConfig
    metrics: MetricsConfig
    auth: AuthConfig
    stores: tuple[StoreConfig, ...]
    """The ngprecomputed stores, in the file's order; at least one."""
    notes: tuple[str, ...]
    """What the file says for DVID and means nothing here; one line each, for the log."""
    warnings: tuple[str, ...]
    """What the file probably does not mean as it stands; one line each, for the log."""
