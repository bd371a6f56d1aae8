"""What a test's server wrote to its log."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dvidpc.config import LoggingConfig
from dvidpc.log.set_up import set_up_logging


@contextmanager
def logging_to(path: Path, log_format: Literal["text", "json"] = "text") -> Iterator[None]:
    """Have the messages of this process in the file *path* meanwhile."""
    root, ours = logging.getLogger(), logging.getLogger("dvidpc")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    set_up_logging(LoggingConfig(logfile=path, format=log_format), announce=False)
    try:
        yield
    finally:
        for handler in [one for one in root.handlers if one not in handlers]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
        ours.setLevel(our_level)


def request_fields(path: Path) -> list[dict[str, Any]]:
    """The requests in a log of JSON."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [record for record in records if record["message"] == "request"]
