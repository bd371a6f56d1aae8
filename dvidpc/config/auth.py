"""Reads `[auth]`: refuses to start a server open that somebody asked to protect."""

from collections.abc import Mapping

from dvidpc.config.reading import Reading, fold_keys, refuse_unknown
from dvidpc.config.sections import AuthConfig
from dvidpc.config.values import describe

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
_ADVICE = 'write enforce = "token", or "none" and let a reverse proxy ask who is there'


def read_auth(table: Mapping[str, object], reading: Reading) -> AuthConfig:
    """Who may read. A `proxy_address` alone asks for tokens, as in DVID.

    Unknown keys stop the start, unlike in DVID's other sections: a slip in `enforce` must not open
    the server.

    Raises:
        ConfigError: The section asks for a way to enforce that we do not have, or cannot be understood.
    """
    table = fold_keys(table, _KEYS, reading, "[auth]")
    refuse_unknown(table, _KEYS, reading, "[auth]")
    off = table.get("no_enforce") is True
    modes = {}
    for key in ("enforce", "enforce_internal"):
        mode = table.get(key, "none") or "none"
        if not isinstance(mode, str):
            raise reading.error(f"[auth] {key}", f"expected a string, got {describe(mode)}; {_ADVICE}")
        modes[key] = mode
        known = {"none", "token"} if key == "enforce" else {"none", modes["enforce"]}
        if mode not in known and not off:
            raise reading.error(f"[auth] {key}", f"{describe(mode)} is not implemented; {_ADVICE}")
    enforce = modes["enforce"]
    if table.get("proxy_address") and not table.get("enforce"):
        enforce = "token"
    if table.get("public_versions") and enforce == "token" and not off:
        reading.warn("[auth] public_versions is ignored: every reader needs a token")
    if table.keys() - {"enforce"} and (off or enforce == "none"):
        reading.note("[auth] is not needed: everybody may read here; ignored")
    return AuthConfig("token" if enforce == "token" and not off else "none")
