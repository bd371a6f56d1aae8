"""The settings of the log, and how the configuration gives them."""

from pathlib import Path

from dvidpc.config import LoggingConfig
from dvidpc.log.settings import LogSettings


def test_configuration_counts_in_mib_and_days_and_the_log_in_bytes_and_seconds() -> None:
    config = LoggingConfig(Path("dvid.log"), max_log_size_mb=3, max_log_age_days=2, format="json")
    assert config.settings == LogSettings(Path("dvid.log"), 3 * 2**20, 2 * 24 * 3600, "json")


def test_nothing_rotates_unless_it_is_asked_for() -> None:
    assert LogSettings() == LogSettings(None, 0, 0, "text")
