"""How long heartbeats took, by user: `/api/user-latencies`."""

from collections import OrderedDict
from typing import NamedTuple

from dvidpc.formats.dvid.go_json import JsonValue, format_time, sorted_map


class UserLatency(NamedTuple):
    """How long the heartbeats of one user took, in milliseconds."""

    user: str
    last_ping: str
    last: int
    least: int
    most: int


_NO_LATENCY = UserLatency("", "", 0, 0, 0)


class UserLatencies:
    """The heartbeats of those who gave a name; the users seen last, and no names longer than any real one."""

    def __init__(self, max_users: int = 1_000, max_name: int = 100) -> None:
        """Keep *max_users* at most; a name of more than *max_name* characters is not kept."""
        self._max_users = max_users
        self._max_name = max_name
        self._users: OrderedDict[str, UserLatency] = OrderedDict()

    def record(self, user: str, *, pinged: float, latency_ms: int) -> None:
        """Note a heartbeat that came at *pinged*, in seconds since the epoch."""
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
        """`/api/user-latencies`."""
        return sorted_map({user: _latency_document(latency) for user, latency in self._users.items()})

    def document_of(self, user: str) -> dict[str, JsonValue]:
        """`/api/user-latencies?u=user`; all empty for one who never was here, as in DVID."""
        return _latency_document(self._users.get(user, _NO_LATENCY))


def _latency_document(latency: UserLatency) -> dict[str, JsonValue]:
    return {
        "User": latency.user,
        "LastPing": latency.last_ping,
        "LastLatency": latency.last,
        "MinLatency": latency.least,
        "MaxLatency": latency.most,
    }
