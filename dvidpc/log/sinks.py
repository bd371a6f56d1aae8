"""Write log records, and never let a failed write disturb the code that logs."""

import contextlib
import logging

from dvidpc.log.unread import StderrWriter


class Sink(logging.Handler):
    """A log handler that writes each record in one go and swallows its own failures."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; if that fails, try `write_elsewhere`."""
        try:
            self.write(f"{self.format(record)}\n", record.created)
        except Exception as e:  # noqa: BLE001 - the rim of logging: the server keeps serving without a log
            with contextlib.suppress(Exception):
                self.write_elsewhere(record, e)

    def write(self, text: str, now_s: float) -> None:
        """Write *text*; *now_s* is the time of its record, in seconds since 1970."""
        raise NotImplementedError

    def write_elsewhere(self, record: logging.LogRecord, reason: Exception) -> None:
        """Write a record that `write` failed to write to some other place, if there is one."""


class StderrSink(Sink):
    """Writes to stderr; if stderr fails, the record is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._stderr = StderrWriter()

    def write(self, text: str, now_s: float) -> None:  # noqa: ARG002 - stderr does not rotate
        """Write *text* in one go."""
        self._stderr.write(text)

    def close(self) -> None:
        """Write what is held."""
        self._stderr.close()
        super().close()
