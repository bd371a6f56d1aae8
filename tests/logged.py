"""Send this process's log messages to a file during a test, and read the requests in it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dvidpc.log.set_up import set_up_logging
from dvidpc.log.settings import LogSettings


@contextmanager
def restored_logging() -> Iterator[None]:
    """Restore the handlers and levels of this process's logging at the end."""
    root, ours = logging.getLogger(), logging.getLogger("dvidpc")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    try:
        yield
    finally:
        for handler in [one for one in root.handlers if one not in handlers]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
        ours.setLevel(our_level)


@contextmanager
def logging_to(path: Path, log_format: Literal["text", "json"] = "text") -> Iterator[None]:
    """Send the log messages of this process to the file *path* for as long as the context lasts."""
    with restored_logging():
        set_up_logging(LogSettings(logfile=path, format=log_format), announce=False)
        yield


def request_fields(path: Path) -> list[dict[str, Any]]:
    """Return the fields of every request in a log of JSON lines."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [record for record in records if record["message"] == "request"]
