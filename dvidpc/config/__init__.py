"""The configuration file: DVID's own TOML, read into frozen values.

This room parses and checks every value once and names file, section and key in each error. Nothing here opens
a bucket, reads the environment or knows how a value is used.
"""

from dvidpc.config.changes import changed_stores, needs_restart
from dvidpc.config.load import load_config, parse_config, read_config
from dvidpc.config.sections import (
    AuthConfig,
    CacheConfig,
    Config,
    LimitsConfig,
    LoggingConfig,
    MetricsConfig,
    RepoConfig,
    ServerConfig,
)
from dvidpc.config.store_section import StoreConfig
from dvidpc.config.values import Address, UnixAddress

__all__ = [
    "Address",
    "AuthConfig",
    "CacheConfig",
    "Config",
    "LimitsConfig",
    "LoggingConfig",
    "MetricsConfig",
    "RepoConfig",
    "ServerConfig",
    "StoreConfig",
    "UnixAddress",
    "changed_stores",
    "load_config",
    "needs_restart",
    "parse_config",
    "read_config",
]
