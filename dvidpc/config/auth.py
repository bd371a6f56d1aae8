"""Reads `[auth]`: refuses to start a server open that somebody asked to protect."""

from collections.abc import Mapping

from dvidpc.config.reading import Reading, fold_keys, refuse_unknown
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
_ADVICE = 'write enforce = "none" and let a reverse proxy ask who is there'


def check_auth(table: Mapping[str, object], reading: Reading) -> None:
    """Refuse to start where the file asks for protection, as none is implemented.

    Unknown keys stop the start too, unlike in DVID's other sections: a slip in `enforce` must not open
    the server.

    Raises:
        ConfigError: The section asks for a way to enforce that we do not have, or cannot be understood.
    """
    table = fold_keys(table, _KEYS, reading, "[auth]")
    refuse_unknown(table, _KEYS, reading, "[auth]")
    if table.get("no_enforce") is not True:
        for key in ("enforce", "enforce_internal"):
            mode = table.get(key, "none")
            if not isinstance(mode, str):
                raise reading.error(f"[auth] {key}", f"expected a string, got {describe(mode)}; {_ADVICE}")
            if mode not in {"", "none"}:
                raise reading.error(f"[auth] {key}", f"{describe(mode)} is not implemented; {_ADVICE}")
        if table.get("proxy_address") and not table.get("enforce"):
            raise reading.error("[auth] proxy_address", f"asks for tokens, as in DVID; {_ADVICE}")
    if table.keys() - {"enforce"}:
        reading.note("[auth] is not needed: everybody may read here; ignored")
