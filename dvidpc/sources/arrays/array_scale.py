"""One level of a volume of arrays: what it is, how it is opened and counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.levels import ArrayLevel
from dvidpc.formats.data_types import DataType
from dvidpc.sources.arrays.array_census import count_array, survey_array
from dvidpc.sources.arrays.array_chunks import ArrayChunks
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.counting import ChunkCount, Progress, Survey
from dvidpc.sources.scale_plan import times
from dvidpc.storage.base import Lister, ObjectStore


@dataclass(frozen=True, slots=True)
class ArrayScale:
    """A `StoredScale` of one array."""

    level: ArrayLevel
    directory: str
    """Where the array lies, as the store knows it."""
    num_channels: int
    shown_as: DataType
    """What voxels are converted to."""
    metadata_digest: str
    dialect: str
    """How its place among other levels is described, for people."""
    channel: int = 0
    """The channel that is opened."""

    @property
    def description(self) -> str:
        """As `StoredScale.description`."""
        level, spec = self.level, self.level.spec
        shard = f" ({_sizes(spec.shard.shape)})" if spec.shard else ", unsharded"
        offset = ",".join(map(str, level.grid.offset))
        widened = f" (served as {self.shown_as})" if self.shown_as is not spec.data_type else ""
        return (
            f"{self.dialect}: {times(level.grid.size)} voxels "
            f"of {times(level.resolution_nm)} nm at {offset}, "
            f"{self.num_channels} x {spec.data_type}{widened} {spec.stored_as}{shard}, "
            f"chunks of {times(level.grid.chunk_size)}, fill value {spec.fill:g}"
        )

    @property
    def stored_as(self) -> str:
        """As `StoredScale.stored_as`."""
        return f"{self.level.spec.stored_as} chunks of {times(self.level.grid.chunk_size)}"

    def of_channel(self, number: int, /) -> "ArrayScale":
        """As `StoredScale.of_channel`: channels may lie in chunks of their own."""
        return replace(self, channel=number)

    def open(self, store: ObjectStore, tools: SourceTools) -> Sequence[ChunkSource]:
        """As `StoredScale.open`."""
        view = ChunkView(self.level, self.channel)
        return [ArrayChunks(store, self.directory, view, self.shown_as, self.metadata_digest, tools.indexes)]

    async def count(self, store: ObjectStore, lister: Lister | None, progress: Progress) -> list[ChunkCount]:
        """As `StoredScale.count`: one count for each channel."""
        return await count_array(store, lister, self.directory, self._views(), progress)

    async def survey(self, lister: Lister) -> Survey:
        """As `StoredScale.survey`."""
        return await survey_array(lister, self.directory, self._views())

    def _views(self) -> list[ChunkView]:
        return [ChunkView(self.level, channel) for channel in range(self.num_channels)]


def _sizes(numbers: Sequence[int]) -> str:
    return " x ".join(map(str, numbers))
