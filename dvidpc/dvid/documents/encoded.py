"""The documents that change only with the instances, encoded and named once."""

from collections.abc import Callable

from dvidpc.data.repo import Instance, Repo
from dvidpc.dvid.documents import bodies
from dvidpc.formats.dvid.go_json import encode
from dvidpc.http.etags import Document, document_of


class EncodedDocuments:
    """Encodes a document when it is first asked for, and again when there are other instances.

    lowtis asks for the info of an instance with every slice; the info of a repo of 1,000 instances is
    1 MB and takes some 40 ms to make.
    """

    def __init__(self, repo: Repo) -> None:
        """Encode what is known of *repo*, when it is asked for."""
        self._repo = repo
        self._instances: dict[str, tuple[Instance, Document]] = {}
        self._of_all: dict[str, tuple[int, Document]] = {}

    def instance_info(self, instance: Instance) -> Document:
        """`/api/node/{uuid}/{data}/info`; *instance* is one of the repo's."""
        described, document = self._instances.get(instance.name, (None, None))
        if document is None or described is not instance:
            document = document_of(encode(bodies.instance_info(self._repo.uuid, instance)))
            self._instances[instance.name] = instance, document
        return document

    def repo_info(self) -> Document:
        """`/api/repo/{uuid}/info`."""
        return self._current("info", lambda: encode(bodies.repo_info(self._repo)))

    def repos_info(self) -> Document:
        """`/api/repos/info`."""
        return self._current("infos", lambda: encode(bodies.repos_info(self._repo)))

    def _current(self, name: str, make: Callable[[], bytes]) -> Document:
        revision = self._repo.revision
        made_of, document = self._of_all.get(name, (-1, None))
        if document is None or made_of != revision:
            document = document_of(make())
            self._of_all[name] = revision, document
        return document
