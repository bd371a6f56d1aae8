"""Refuse requests for a host name that is not this server's: a guard against DNS rebinding.

A web page whose name is made to resolve to 127.0.0.1 is of the same origin as a server there, so CORS does
not keep it from reading. Its requests still name the page's own host.
"""

import logging
from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web

from dvidpc.http.error_responses import plain_error
from dvidpc.http.loopback import host_of, is_loopback_name, parse_ip_address
from dvidpc.http.once import Once
from dvidpc.log.escaping import one_line

log = logging.getLogger(__name__)

_ANY: Final = "*"
_MOST_ACCEPTED: Final = 64
"""Headers that are remembered; there are as many as clients write ports and letters in another way."""
_SHOWN: Final = 200
"""Characters of a host that a message repeats."""


class Hosts:
    """The host names under which this server answers.

    Args:
        allowed: Names that the configuration allows; `*` for any; empty: decided by *is_local*.
        own: The server's own names.
        is_local: Whether the server listens on loopback only. Elsewhere every name is allowed if *allowed* is
            empty.
    """

    def __init__(self, allowed: Collection[str], own: Collection[str], *, is_local: bool) -> None:
        self._allowed = frozenset(host_of(name) for name in (*allowed, *own))
        self._is_configured = bool(allowed)
        self.is_local = is_local
        self._accepted: set[str] = set()
        """Headers that passed, because every request has one."""
        self._refused = Once(log, self._describe)

    def check(self, request: web.Request) -> web.Response | None:
        """Return the refusal of a request for another host; None if it may be answered.

        A request without `Host` is answered, because no browser sends one. So is one for an address, which
        cannot be made to resolve to something else.
        """
        if not (self.is_local or self._is_configured) or _ANY in self._allowed:
            return None
        header = request.headers.get(hdrs.HOST)
        if header is None or header in self._accepted:
            return None
        if self._answers_to(host_of(header)):
            if len(self._accepted) < _MOST_ACCEPTED:
                self._accepted.add(header)
            return None
        name = one_line(host_of(header)[:_SHOWN])
        self._refused.note(name)
        return plain_error(421, f"{self._describe(name)}\n")

    def _answers_to(self, host: str) -> bool:
        return host in self._allowed or is_loopback_name(host) or parse_ip_address(host) is not None

    def _describe(self, name: str) -> str:
        return (
            f'request refused: this server does not answer to the name "{name}"; if it should, write '
            f'allowed_hosts = ["{name}"] in [server]'
        )


HOSTS: Final = web.AppKey("hosts", Hosts)
