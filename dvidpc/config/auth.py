"""Reads `[auth]`, and refuses to start a server without the protection that the section asks for."""

from collections.abc import Mapping
from typing import Literal

from dvidpc.config.reading import Reading, fold_keys, refuse_unknown
from dvidpc.config.sections import AuthConfig
from dvidpc.config.values import describe
from dvidpc.errors import ConfigError

_KEYS = (
    "enforce",
    "enforce_internal",
    "auth_file",
    "proxy_address",
    "public_versions",
    "dsg_address",
    "dsg_cache_ttl",
    "trusted_proxies",
    "dataset_map",
    "no_enforce",
)
_ADVICE = 'write enforce = "token", or "none" and let a reverse proxy authenticate users'


def read_auth(table: Mapping[str, object], reading: Reading) -> AuthConfig:
    """Read who may read.

    An unknown key is an error, unlike in DVID's other sections: a typo in `enforce` must not open the server.

    Raises:
        ConfigError: The section is malformed, or asks for a protection that is not implemented.
    """
    table = fold_keys(table, _KEYS, reading, "[auth]")
    refuse_unknown(table, _KEYS, reading, "[auth]")
    enforce = _decide_enforce(table, reading)
    if enforce == "token" and table.get("public_versions"):
        reading.warn("[auth] public_versions is ignored: every reader needs a token")
    if enforce == "none" and table.keys() - {"enforce"}:
        reading.note("[auth] is not needed: everybody may read here; ignored")
    return AuthConfig(enforce)


def _decide_enforce(table: Mapping[str, object], reading: Reading) -> Literal["none", "token"]:
    """Decide how readers are checked; a `proxy_address` without `enforce` means "token", as in DVID."""
    enforce = _read_mode(table, "enforce", reading)
    internal = _read_mode(table, "enforce_internal", reading)
    if table.get("no_enforce") is True:
        return "none"
    if enforce not in {"none", "token"}:
        raise _not_implemented("enforce", enforce, reading)
    if internal not in {"none", enforce}:
        raise _not_implemented("enforce_internal", internal, reading)
    implied = table.get("proxy_address") and not table.get("enforce")
    return "token" if enforce == "token" or implied else "none"


def _read_mode(table: Mapping[str, object], key: str, reading: Reading) -> str:
    mode = table.get(key) or "none"
    if not isinstance(mode, str):
        raise reading.error(f"[auth] {key}", f"expected a string, got {describe(mode)}; {_ADVICE}")
    return mode


def _not_implemented(key: str, mode: str, reading: Reading) -> ConfigError:
    return reading.error(f"[auth] {key}", f"{describe(mode)} is not implemented; {_ADVICE}")
