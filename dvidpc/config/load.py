"""Loads the configuration file: its text, its TOML, its sections."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import tomli

from dvidpc.config.auth import read_auth
from dvidpc.config.reading import (
    Reading,
    Section,
    closest,
    fold_keys,
    keys_of,
    read_section,
    refuse_unknown,
    warn_of_unknown,
)
from dvidpc.config.sections import (
    CacheConfig,
    Config,
    LimitsConfig,
    LoggingConfig,
    MetricsConfig,
    RepoConfig,
    ServerConfig,
)
from dvidpc.config.stores import read_stores
from dvidpc.errors import ConfigError

_OURS = {"repo": RepoConfig, "limits": LimitsConfig, "metrics": MetricsConfig}
_READ = ("server", "logging", *_OURS, "cache", "auth", "store")
_NOT_NEEDED = {
    "backend": "nothing is stored here",
    "email": "no mail is sent",
    "mutations": "nothing can be changed here",
    "kafka": "no activity is published",
    "groupcache": "[cache] memory limits the cache",
    "mirror": "nothing can be changed here",
    "mutcache": "it is for labels only",
}
"""DVID's sections that have no effect here, and why."""
_SERVER_NOT_NEEDED = {
    "rpcAddress": "no RPC is served",
    "startWebhook": "no webhook is called at the start",
    "startJaneliaConfig": "no webhook is called at the start",
    "interactiveOpsBeforeBlock": "no work runs in the background",
    "instance_id_gen": "ids follow from the stores' order",
    "instance_id_start": "ids follow from the stores' order",
    "min_mutation_id_start": "nothing can be changed here",
    "allowLabelmapSplit": "nothing can be changed here",
}


def load_config(path: Path) -> Config:
    """Load the configuration file at *path*.

    Raises:
        ConfigError: The file cannot be read or used; the message is one line and names file, section and key.
    """
    data = _read_bytes(path)
    return replace(read_config(_parse_toml(path, _decode(path, data)), path), text=data)


def parse_config(text: str, name: str) -> Config:
    """Read the configuration from *text*, which is in no file; errors name *name* in place of a file.

    Raises:
        ConfigError: As for `load_config`.
    """
    path = Path(name)
    return replace(read_config(_parse_toml(path, text), path), text=text.encode(), is_file=False)


def read_config(document: Mapping[str, object], path: Path) -> Config:
    """Read the configuration from parsed TOML; *path* is named in errors, and relative paths start there.

    Raises:
        ConfigError: As for `load_config`.
    """
    reading = Reading(path)
    document = fold_keys(document, (*_READ, *_NOT_NEEDED), reading, "")
    _check_sections(document, reading)

    def table(name: str) -> Mapping[str, object]:
        return reading.table(f"[{name}]", document.get(name, {}))

    return Config(
        path=path,
        server=_read_server(table("server"), reading),
        logging=_read_dvid(LoggingConfig, table("logging"), reading, "[logging]"),
        repo=_read_ours(RepoConfig, table("repo"), reading, "[repo]"),
        cache=_read_cache(table("cache"), reading),
        limits=_read_limits(table("limits"), reading),
        metrics=_read_ours(MetricsConfig, table("metrics"), reading, "[metrics]"),
        auth=read_auth(table("auth"), reading),
        stores=read_stores(table("store"), reading),
        notes=tuple(reading.notes),
        warnings=tuple(reading.warnings),
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except ValueError:
        raise ConfigError(f"{str(path)!r}: no file can have this name; name the configuration file") from None
    except OSError as e:
        raise Reading(path).error("cannot be read", f"{e.strerror}; name a readable file") from None


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise Reading(path).error(f"line {line}", "is not UTF-8; save the file as UTF-8") from None


def _parse_toml(path: Path, text: str) -> dict[str, object]:
    reading = Reading(path)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as e:
        raise reading.error(
            f"line {e.lineno}, column {e.colno}", f"{e.msg}; correct the TOML there"
        ) from None
    except (ValueError, RecursionError) as e:  # an integer of thousands of digits; hundreds of nested arrays
        raise reading.error("not usable TOML", f"{e}; remove the value") from None


def _check_sections(document: Mapping[str, object], reading: Reading) -> None:
    """Add notes for sections without effect and warnings for unknown ones; refuse a misspelt section."""
    for name, value in document.items():
        if name in _NOT_NEEDED:
            reading.note(f"[{name}] is not needed: {_NOT_NEEDED[name]}; ignored")
        elif name not in _READ and not isinstance(value, dict):
            reading.warn(
                f"{name}: key outside of any section, ignored; move it below the line of its section"
            )
        elif name not in _READ:
            near = closest(name, _READ)
            if near:
                raise reading.error(f"[{name}]", f'unknown section; did you mean "[{near}]"?')
            reading.warn(f"[{name}]: unknown section, ignored")


def _read_dvid(
    section: type[Section],
    table: Mapping[str, object],
    reading: Reading,
    place: str,
    others: tuple[str, ...] = (),
) -> Section:
    """Read a section of DVID's: any case, warn of unknown keys; *others* are known but not read."""
    known = (*keys_of(section), *others)
    table = fold_keys(table, known, reading, place)
    warn_of_unknown(table, known, reading, place)
    return read_section(section, table, reading, place)


def _read_ours(section: type[Section], table: Mapping[str, object], reading: Reading, place: str) -> Section:
    """Read a section of ours: case matters, and unknown keys are refused."""
    refuse_unknown(table, keys_of(section), reading, place)
    return read_section(section, table, reading, place)


def _read_server(table: Mapping[str, object], reading: Reading) -> ServerConfig:
    server = _read_dvid(ServerConfig, table, reading, "[server]", tuple(_SERVER_NOT_NEEDED))
    for key in fold_keys(table, _SERVER_NOT_NEEDED, reading, "[server]"):
        if key in _SERVER_NOT_NEEDED:
            reading.note(f"[server] {key} is not needed: {_SERVER_NOT_NEEDED[key]}; ignored")
    if server.rwmode == "fullwrite":
        reading.note('[server] rwmode = "fullwrite" is not needed: nothing can be changed here; ignored')
    if server.tls_key is not None and server.tls_cert is None:
        raise reading.error("[server] tls_key", "needs tls_cert; name the file with the certificate")
    for origin in server.cors_domains:
        if origin != "*" and "://" not in origin:
            reading.warn(
                f'[server] corsDomains: "{origin}" matches no page; write an origin, such as "https://{origin}"'
            )
    return server


def _read_cache(table: Mapping[str, object], reading: Reading) -> CacheConfig:
    """Read our keys of `[cache]`; tables inside it are DVID's `[cache.<id>]`."""
    ours = {}
    for key, value in table.items():
        if isinstance(value, dict) and key not in keys_of(CacheConfig):
            reading.note(f"[cache.{key}] is not needed: DVID has it for labels only; ignored")
        else:
            ours[key] = value
    cache = _read_ours(CacheConfig, ours, reading, "[cache]")
    if cache.disk and cache.disk_path is None:
        raise reading.error("[cache] disk", "needs disk_path; name a directory on a local disk")
    if cache.disk_path is not None and not cache.disk:
        reading.warn('[cache] disk_path has no effect without disk; write for example disk = "200GiB"')
    return cache


def _read_limits(table: Mapping[str, object], reading: Reading) -> LimitsConfig:
    limits = _read_ours(LimitsConfig, table, reading, "[limits]")
    if limits.backoff_min_s > limits.backoff_max_s:
        raise reading.error(
            "[limits] backoff_min", "is greater than backoff_max; lower it or raise backoff_max"
        )
    return limits
