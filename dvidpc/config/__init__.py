"""The configuration file: DVID's own TOML, read into frozen values."""

from dvidpc.config.changes import changed_stores, needs_restart
from dvidpc.config.load import load_config, read_config
from dvidpc.config.sections import (
    AuthConfig,
    CacheConfig,
    Config,
    LimitsConfig,
    LoggingConfig,
    MetricsConfig,
    RepoConfig,
    ServerConfig,
    StoreConfig,
)
from dvidpc.config.values import Address

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
    "changed_stores",
    "load_config",
    "needs_restart",
    "read_config",
]
