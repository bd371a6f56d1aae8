"""Set up the logging of this process: where messages go, how they look, and which are let through."""

import contextlib
import logging
import sys
import time

from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line
from dvidpc.log.line_formats import JsonFormatter, TextFormatter
from dvidpc.log.rotation import FileSink
from dvidpc.log.settings import LogSettings
from dvidpc.log.sinks import Sink, StderrSink
from dvidpc.log.storms import StormFilter


def set_up_logging(settings: LogSettings, *, announce: bool = True) -> None:
    """Send the log messages of this process to the place in *settings*; a second call replaces the first.

    Our own messages are logged from INFO, those of libraries from WARNING.

    Args:
        settings: The place and the format.
        announce: Whether to print the log file's name to stdout, as DVID does. With several processes,
            only one of them should.

    Raises:
        ConfigError: The log file cannot be written.
    """
    sink = _open_sink(settings)
    sink.addFilter(StormFilter())
    sink.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    _install(sink)
    if announce and settings.logfile is not None:
        with contextlib.suppress(OSError):
            sys.stdout.write(f"Sending log messages to: {one_line(str(settings.logfile))}\n")
            sys.stdout.flush()


def _open_sink(settings: LogSettings) -> Sink:
    path = settings.logfile
    if path is None:
        return StderrSink()
    try:
        return FileSink(path, max_size=settings.max_size, max_age_s=settings.max_age_s, now_s=time.time())
    except OSError as e:
        message = f"[logging] logfile: cannot write {path}: {e.strerror}; name a file that can be written"
        raise ConfigError(one_line(message)) from None


def _install(sink: Sink) -> None:
    """Make *sink* the only one of ours on the root logger; handlers that others added stay."""
    root = logging.getLogger()
    for previous in [one for one in root.handlers if isinstance(one, Sink)]:
        root.removeHandler(previous)
        previous.close()
    root.addHandler(sink)
    root.setLevel(logging.WARNING)
    logging.getLogger("dvidpc").setLevel(logging.INFO)
