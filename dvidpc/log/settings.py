"""The settings of the log, as plain values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where log messages go and how they look."""

    logfile: Path | None = None
    """The file for log messages; None: stderr."""
    max_size: int = 0
    """Bytes at which the log file is rotated; 0: never."""
    max_age_s: float = 0
    """Age in seconds at which rotated files are removed; 0: never."""
    format: Literal["text", "json"] = "text"
    """A line for people, or one JSON object per line."""
