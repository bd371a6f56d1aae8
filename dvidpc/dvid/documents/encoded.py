"""Cache the encoded documents that change only when the instances of the repo change."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dvidpc.data.instance import Data, Instance
from dvidpc.data.repo import Repo
from dvidpc.dvid.documents import instance_documents, repo_documents
from dvidpc.dvid.public import PublicData
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.http.etags import Document, document_of

_Make: TypeAlias = Callable[[Repo, Mapping[str, Instance[Data]]], dict[str, JsonValue]]
_State: TypeAlias = tuple[int, frozenset[str] | None]
"""What a document was made from: the revision of the repo, and the public stores; None: all stores."""


class EncodedDocuments:
    """Encodes a document on its first request, and again after the instances have changed.

    lowtis requests the info of an instance with every slice. The info of a repo with 1,000 instances
    has 1 MB and takes about 40 ms to encode.
    """

    def __init__(self, repo: Repo) -> None:
        """Serve the documents of *repo*."""
        self._repo = repo
        self._instances: dict[str, tuple[Instance[Data], Document]] = {}
        self._of_all: dict[str, tuple[_State, Document]] = {}

    def instance_info(self, instance: Instance[Data]) -> Document:
        """Return `/api/node/{uuid}/{data}/info`; *instance* belongs to the repo."""
        described, document = self._instances.get(instance.name, (None, None))
        if document is None or described is not instance:
            document = document_of(encode(instance_documents.instance_info(self._repo.uuid, instance)))
            self._instances[instance.name] = instance, document
        return document

    def repo_info(self, public: PublicData | None = None) -> Document:
        """Return `/api/repo/{uuid}/info`, with the instances of *public* only; None: with all."""
        return self._current("info", public, repo_documents.repo_info)

    def repos_info(self, public: PublicData | None = None) -> Document:
        """Return `/api/repos/info`, with the instances of *public* only; None: with all."""
        return self._current("infos", public, repo_documents.repos_info)

    def _current(self, name: str, public: PublicData | None, make: _Make) -> Document:
        state = self._repo.revision, public.aliases if public else None
        name = f"public {name}" if public else name
        encoded_state, document = self._of_all.get(name, (None, None))
        if document is None or encoded_state != state:
            instances = public.instances if public else self._repo.instances
            document = document_of(encode(make(self._repo, instances)))
            self._of_all[name] = state, document
        return document
