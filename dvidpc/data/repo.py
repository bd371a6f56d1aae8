"""The one repo: its data instances, and which names of repo and version lead to it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from dvidpc.errors import ConfigError, RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.types import BlockCoord, Point

if TYPE_CHECKING:
    from dvidpc.volume.grid_store import GridStore

MASTER: Final = "master"
"""The branch the only version is on; DVID keeps it as "" and shows it so."""

_NAMESPACE = UUID("5ed5f1e6-3d3c-5c0f-9c0a-6a1f4a3b9d27")
_PARENT = re.compile(r"[+-]?[0-9]+")
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class VoxelType:
    """One of DVID's image block types."""

    type_name: str
    data_type: str
    """Of one value of a voxel: `uint8`, `float32`, ..."""
    labels: tuple[str, ...]
    """What `Values` calls the values of a voxel, one for each."""
    version: str

    @property
    def source_file(self) -> str:
        """The file of DVID's that defines the type, without its `.go`."""
        return self.type_name.removesuffix("blk")


def _voxel_type(data_type: str, version: str) -> VoxelType:
    return VoxelType(f"{data_type}blk", data_type, (data_type,), version)


VOXEL_TYPES: Final[Mapping[str, VoxelType]] = MappingProxyType(
    {
        voxel_type.type_name: voxel_type
        for voxel_type in (
            _voxel_type("float32", "0.1"),
            VoxelType("rgba8blk", "uint8", ("red", "green", "blue", "alpha"), "0.2"),
            _voxel_type("uint16", "0.1"),
            _voxel_type("uint32", "0.1"),
            _voxel_type("uint64", "0.1"),
            _voxel_type("uint8", "0.2"),
        )
    }
)
"""Every type this server has, by name, in the order of the names.  (datatype/imageblk/*.go, 3400c2cb)"""


def find_voxel_type(data_type: str, num_values: int) -> VoxelType | None:
    """What DVID calls voxels of so many values; None if it has no type for them.

    DVID has no signed types: such voxels are in blocks of the unsigned type of the same width, bit for
    bit, and `Values` says what they are.
    """
    for voxel_type in VOXEL_TYPES.values():
        if len(voxel_type.labels) == num_values:
            if voxel_type.data_type == data_type:
                return voxel_type
            if voxel_type.data_type == f"u{data_type}":
                return replace(voxel_type, data_type=data_type, labels=(data_type,))
    return None


@dataclass(frozen=True, slots=True)
class Instance:
    """One scale of a volume, as DVID's data instance."""

    name: str
    data_uuid: str
    store_alias: str
    """The `[store.<alias>]` it comes from."""
    store_url: str
    """The volume's address, shown to everybody: it holds no credentials."""
    scale_level: int
    voxel_type: VoxelType
    compression: str
    """What `Base.Compression` says; clients choose their decoder by its first word."""
    voxel_size: tuple[float, float, float]
    """Along x, y and z, in nanometers."""
    min_point: Point
    """The first voxel."""
    max_point: Point
    """The last voxel: inclusive, where DVID in this mode names the one after it."""
    block_size: int
    """Voxels along each edge of a block."""
    grid: "GridStore"
    channel: int = 0
    """Which channel of the volume it shows, where each has instances of its own."""

    @property
    def min_index(self) -> BlockCoord:
        """The block that holds the first voxel."""
        return self._block_of(self.min_point)

    @property
    def max_index(self) -> BlockCoord:
        """The block that holds the last voxel."""
        return self._block_of(self.max_point)

    def _block_of(self, point: Point) -> BlockCoord:
        return BlockCoord(point.x // self.block_size, point.y // self.block_size, point.z // self.block_size)


class Repo:
    """All that is served: one repo with one version, whose UUID is also the repo's."""

    def __init__(self, uuid: str, alias: str, description: str, created: float) -> None:
        """Make a repo without instances; *created* is in seconds since the epoch."""
        self.uuid: Final = uuid
        self.alias: Final = alias
        self.description: Final = description
        self.created: Final = created
        self._instances: dict[str, Instance] = {}
        self.instances: Final[Mapping[str, Instance]] = MappingProxyType(self._instances)
        self._revision = 0

    @property
    def revision(self) -> int:
        """Another number whenever the instances are others."""
        return self._revision

    def add(self, instances: Iterable[Instance]) -> None:
        """Serve *instances* too, after those there are: all of them, or none if one has a name taken.

        Raises:
            ConfigError: Two instances have one name.
        """
        added: dict[str, Instance] = {}
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

    def put(self, store_alias: str, instances: Iterable[Instance]) -> None:
        """Serve *instances* in place of those of *store_alias*, if there are any, at once.

        Raises:
            ConfigError: Two instances would have one name; all is as it was.
        """
        before = dict(self._instances)
        self.remove(store_alias)
        try:
            self.add(instances)
        except ConfigError:
            self._instances.clear()
            self._instances.update(before)
            raise

    def remove(self, store_alias: str) -> None:
        """Serve no instance of *store_alias* any more."""
        for name in [name for name, one in self._instances.items() if one.store_alias == store_alias]:
            del self._instances[name]
        self._revision += 1

    def instance(self, uuid_spec: str, name: str) -> Instance:
        """The instance of a request.

        Raises:
            RequestError: The UUID names no version here, or the version has no such data.
        """
        self.resolve(uuid_spec)
        instance = self._instances.get(name)
        if instance is None:
            raise RequestError("invalid data instance name")
        return instance

    def coarser(self, instance: Instance, levels: int) -> Instance:
        """The instance of the same volume that is *levels* scales coarser than *instance*.

        Raises:
            RequestError: The volume has no such scale.
        """
        level = instance.scale_level + levels
        for other in self._instances.values():
            if (other.store_alias, other.channel, other.scale_level) == (
                instance.store_alias,
                instance.channel,
                level,
            ):
                return other
        raise RequestError(f"data {quote(instance.name)} has no scale {levels}")

    def resolve(self, spec: str) -> None:
        """Accept *spec* if DVID would find the only version by it, else refuse it in DVID's words.

        It may be a prefix of the UUID, `prefix:branch`, `:branch`, and end in `~n` for the n-th ancestor
        on the branch.  (repo_local.go:997-1033 and 1361-1413, 3400c2cb)

        Raises:
            RequestError: It leads nowhere.
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
        """The versions of *branch*, its leaf first; none if there is no such branch."""
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
        # DVID panics on a parent below zero; to us it is as far out of range as one too high.
        if not 0 <= parent < len(self.branch_versions(branch)):
            raise RequestError(f"parent {parent} is out of range for branch {quote(branch)}")


def derive_repo_uuid(ref: str) -> str:
    """The UUID of a repo whose first volume is at *ref*: the same after a restart and on every replica."""
    return uuid5(_NAMESPACE, ref.rstrip("/")).hex


def derive_data_uuid(repo_uuid: str, name: str) -> str:
    """The `DataUUID` of the instance *name* of a repo."""
    return uuid5(_NAMESPACE, f"{repo_uuid}/{name}").hex


def _parse_int(text: str) -> int:
    """*text* as Go's `Atoi` reads it; a ValueError if it would not."""
    if not _PARENT.fullmatch(text):
        raise ValueError(text)
    number = int(text)
    if not -_INT64 <= number < _INT64:
        raise ValueError(text)
    return number
