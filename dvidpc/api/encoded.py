"""The documents that change only when an instance is added, encoded once."""

from collections.abc import Callable

from dvidpc.api import documents, pages
from dvidpc.api.documents import ServerFacts
from dvidpc.formats.dvidjson import encode
from dvidpc.volume.repo import Instance, Repo


class EncodedDocuments:
    """Encodes a document when it is first asked for, and again when there are more instances.

    lowtis asks for the info of an instance with every slice; the info of a repo of 1,000 instances is
    1 MB and takes some 40 ms to make.
    """

    def __init__(self, repo: Repo) -> None:
        """Encode what is known of *repo*, when it is asked for."""
        self._repo = repo
        self._instances: dict[str, bytes] = {}
        self._of_all: dict[str, tuple[int, bytes]] = {}

    def instance_info(self, instance: Instance) -> bytes:
        """`/api/node/{uuid}/{data}/info`; *instance* is one of the repo's."""
        body = self._instances.get(instance.name)
        if body is None:
            body = encode(documents.instance_info(self._repo.uuid, instance))
            self._instances[instance.name] = body
        return body

    def repo_info(self) -> bytes:
        """`/api/repo/{uuid}/info`."""
        return self._current("info", lambda: encode(documents.repo_info(self._repo)))

    def repos_info(self) -> bytes:
        """`/api/repos/info`."""
        return b"{%b:%b}" % (encode(self._repo.uuid), self.repo_info())

    def front_page(self, facts: ServerFacts) -> bytes:
        """`/`; *facts* are the same every time."""
        return self._current("front page", lambda: pages.front_page(self._repo, facts).encode())

    def _current(self, name: str, make: Callable[[], bytes]) -> bytes:
        count = len(self._repo.instances)
        made_of, body = self._of_all.get(name, (-1, b""))
        if made_of != count:
            body = make()
            self._of_all[name] = count, body
        return body
