"""Heartbeat latencies by user: `/api/user-latencies`."""

from collections import OrderedDict
from typing import NamedTuple

from dvidpc.formats.dvid.go_json import JsonValue, format_time, sorted_map


class UserLatency(NamedTuple):
    """The heartbeat latencies of one user, in milliseconds."""

    user: str
    last_ping: str
    last: int
    least: int
    most: int


_NO_LATENCY = UserLatency("", "", 0, 0, 0)


class UserLatencies:
    """Latencies of the users that sent a heartbeat most recently.

    Both the number of users and the length of a name are bounded, so that clients cannot fill the memory.
    """

    def __init__(self, max_users: int = 1_000, max_name: int = 100) -> None:
        """Keep at most *max_users* users; ignore names of more than *max_name* characters."""
        self._max_users = max_users
        self._max_name = max_name
        self._users: OrderedDict[str, UserLatency] = OrderedDict()

    def record(self, user: str, *, pinged: float, latency_ms: int) -> None:
        """Record a heartbeat that arrived at *pinged*, in seconds since the epoch."""
        if len(user) > self._max_name:
            return
        before = self._users.pop(user, None)
        self._users[user] = UserLatency(
            user,
            format_time(int(pinged)),
            latency_ms,
            min(before.least, latency_ms) if before else latency_ms,
            max(before.most, latency_ms) if before else latency_ms,
        )
        if len(self._users) > self._max_users:
            self._users.popitem(last=False)

    def document(self) -> dict[str, JsonValue]:
        """Return `/api/user-latencies`."""
        return sorted_map({user: _latency_document(latency) for user, latency in self._users.items()})

    def document_of(self, user: str) -> dict[str, JsonValue]:
        """Return `/api/user-latencies?u=user`; empty values for an unknown user, as in DVID."""
        return _latency_document(self._users.get(user, _NO_LATENCY))


def _latency_document(latency: UserLatency) -> dict[str, JsonValue]:
    return {
        "User": latency.user,
        "LastPing": latency.last_ping,
        "LastLatency": latency.last,
        "MinLatency": latency.least,
        "MaxLatency": latency.most,
    }
