"""The configuration file: DVID's own TOML, read once at start into frozen values."""

from dvidpc.config.load import load_config, read_config
from dvidpc.config.sections import (
    CacheConfig,
    Config,
    LimitsConfig,
    LoggingConfig,
    MetricsConfig,
    RepoConfig,
    ServerConfig,
    StoreConfig,
)
from dvidpc.config.values import Address, one_line

__all__ = [
    "Address",
    "CacheConfig",
    "Config",
    "LimitsConfig",
    "LoggingConfig",
    "MetricsConfig",
    "RepoConfig",
    "ServerConfig",
    "StoreConfig",
    "load_config",
    "one_line",
    "read_config",
]
