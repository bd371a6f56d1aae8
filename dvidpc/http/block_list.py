"""Read `blockListFile`, which names the users and addresses to refuse, one per line.

(server/blocklist.go, 3400c2cb)
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from dvidpc.errors import ConfigError
from dvidpc.formats.dvid.go_json import quote


class BlockList:
    """The users and addresses that are refused, with the reason for each."""

    def __init__(self, path: Path | None) -> None:
        """Read the file at *path*; None: refuse nobody.

        Raises:
            ConfigError: The file cannot be read, or a line is malformed.
        """
        self.path = path
        self._users: Mapping[str, str] = {}
        self._addresses: Mapping[str, str] = {}
        self.reload()

    def reload(self) -> None:
        """Read the file again; keep the previous entries if that fails.

        Raises:
            ConfigError: The file cannot be read, or a line is malformed.
        """
        if self.path is None:
            return
        try:
            lines = self.path.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"blockListFile {self.path}: {error}") from error
        self._users, self._addresses = _parse(lines, self.path)

    def refusal(self, query: Mapping[str, str], address: str) -> str | None:
        """Return the text that refuses a client, in DVID's words; None if the client is not blocked.

        Args:
            query: The query of the request; its `u` names the user.
            address: The IP address of the client.
        """
        if self._users and (user := query.get("u", "")) in self._users:
            return f"User {quote(user)} is blocked: {self._users[user]}\n"
        for pattern, note in self._addresses.items():
            if fnmatchcase(address, pattern):
                return f"IP {quote(address)} is blocked: {note}\n"
        return None


def _parse(lines: Iterable[str], path: Path) -> tuple[dict[str, str], dict[str, str]]:
    users: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for line in filter(str.strip, lines):
        kind, equals, rest = line.partition("=")
        blocked = {"u": users, "ip": addresses}.get(kind)
        if blocked is None or not equals:
            raise ConfigError(f"blockListFile {path}: {quote(line)} is neither u=<user> nor ip=<address>")
        name, _, note = rest.partition(",")
        blocked[name] = note
    return users, addresses
