"""The only repo: its data instances, and how UUID specifications resolve to its version."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

from dvidpc.data.instance import Data, Instance
from dvidpc.errors import ConfigError, RequestError
from dvidpc.formats.dvid.go_json import quote

MASTER: Final = "master"
"""The branch of the only version; DVID stores it as "" and shows it so."""

_NAMESPACE = UUID("5ed5f1e6-3d3c-5c0f-9c0a-6a1f4a3b9d27")
_PARENT = re.compile(r"[+-]?[0-9]+")
_INT64 = 2**63


class Repo:
    """The only repo that is served. Its only version has the same UUID as the repo."""

    def __init__(self, uuid: str, alias: str, description: str, created: float) -> None:
        """Make a repo without instances.

        Args:
            uuid: The UUID of the repo and of its version.
            alias: Its short name.
            description: What it is.
            created: When it was created, in seconds since the epoch. It is the same on all servers of one
                configuration, because clients compare documents.
        """
        self.uuid: Final = uuid
        self.alias: Final = alias
        self.description: Final = description
        self.created: Final = created
        self._instances: dict[str, Instance[Data]] = {}
        self.instances: Final[Mapping[str, Instance[Data]]] = MappingProxyType(self._instances)
        self._revision = 0

    @property
    def revision(self) -> int:
        """A number that changes whenever the instances do."""
        return self._revision

    def add(self, instances: Iterable[Instance[Data]]) -> None:
        """Add *instances* after the existing ones: all of them, or none if a name is taken.

        Raises:
            ConfigError: Two instances have one name.
        """
        added: dict[str, Instance[Data]] = {}
        for instance in instances:
            other = self._instances.get(instance.name) or added.get(instance.name)
            if other is not None:
                raise ConfigError(
                    f"data instance {quote(instance.name)} of store {quote(instance.store_alias)} "
                    f"is already served by store {quote(other.store_alias)}"
                )
            added[instance.name] = instance
        self._instances.update(added)
        self._revision += 1

    def put(self, store_alias: str, instances: Iterable[Instance[Data]], order: Iterable[str] = ()) -> None:
        """Replace the instances of *store_alias* by *instances*, in one step.

        Args:
            store_alias: The store.
            instances: All that it serves now.
            order: The aliases of all stores. The instances are sorted by it, so that documents do not depend
                on which store was opened first. Those of other stores come last.

        Raises:
            ConfigError: Two instances would have one name; nothing has changed.
        """
        before = dict(self._instances)
        self.remove(store_alias)
        try:
            self.add(instances)
        except ConfigError:
            self._set(before)
            raise
        ranks = {alias: rank for rank, alias in enumerate(order)}
        by_store = sorted(
            self._instances.items(), key=lambda item: ranks.get(item[1].store_alias, len(ranks))
        )
        self._set(dict(by_store))

    def _set(self, instances: Mapping[str, Instance[Data]]) -> None:
        self._instances.clear()
        self._instances.update(instances)

    def remove(self, store_alias: str) -> None:
        """Remove all instances of *store_alias*."""
        for name in [name for name, one in self._instances.items() if one.store_alias == store_alias]:
            del self._instances[name]
        self._revision += 1

    def instance(self, uuid_spec: str, name: str) -> Instance[Data]:
        """Return the instance that a request names.

        Raises:
            RequestError: The UUID names no version here, or the version has no such data.
        """
        self.resolve(uuid_spec)
        instance = self._instances.get(name)
        if instance is None:
            raise RequestError("invalid data instance name")
        return instance

    def resolve(self, spec: str) -> None:
        """Accept *spec* if DVID would find the only version by it, else refuse it in DVID's words.

        It may be a prefix of the UUID, `prefix:branch`, `:branch`, and end in `~n` for the n-th ancestor
        on the branch.  (repo_local.go:997-1033 and 1361-1413, 3400c2cb)

        Raises:
            RequestError: It names no version here.
        """
        if self.uuid.startswith(spec):
            return
        prefix, *branches = spec.split(":")
        if len(branches) > 1:
            raise RequestError(f"bad UUID specification {quote(spec)}")
        if not self.uuid.startswith(prefix):
            raise RequestError(f"could not find UUID with partial match to {prefix}")
        if branches[0] or not prefix:
            self._resolve_branch(branches[0], self.uuid if prefix else "")

    def branch_versions(self, branch: str) -> list[str]:
        """Return the versions of *branch*, its leaf first; none if there is no such branch."""
        return [self.uuid] if branch in ("", MASTER) else []

    def _resolve_branch(self, branch: str, asked_uuid: str) -> None:
        name, *parents = branch.split("~")
        if len(parents) == 1:
            self._resolve_parent(name, parents[0])
        elif not self.branch_versions(branch):
            raise RequestError(f"branch {quote(branch)} not found in repo {quote(asked_uuid)}")

    def _resolve_parent(self, branch: str, text: str) -> None:
        try:
            parent = _parse_int(text)
        except ValueError:
            raise RequestError(f"can't parse parent {quote(text)} in branch {quote(branch)}") from None
        # DVID panics on a negative parent; here it is out of range.
        if not 0 <= parent < len(self.branch_versions(branch)):
            raise RequestError(f"parent {parent} is out of range for branch {quote(branch)}")


def derive_repo_uuid(ref: str) -> str:
    """Return the UUID of a repo whose first volume is at *ref*: stable over restarts and replicas."""
    return uuid5(_NAMESPACE, ref.rstrip("/")).hex


def derive_data_uuid(repo_uuid: str, name: str) -> str:
    """Return the `DataUUID` of the instance *name* of a repo."""
    return uuid5(_NAMESPACE, f"{repo_uuid}/{name}").hex


def _parse_int(text: str) -> int:
    """Return *text* as Go's `Atoi` reads it; raise ValueError if Go refuses it."""
    if not _PARENT.fullmatch(text):
        raise ValueError(text)
    number = int(text)
    if not -_INT64 <= number < _INT64:
        raise ValueError(text)
    return number
