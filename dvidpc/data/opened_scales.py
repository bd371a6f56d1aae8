"""Open the scales of a volume, each once, however many instances show it."""

# ruff: noqa: PLC0415  # what only windows need is imported for the first one

from dvidpc.data.empty_scales import EmptyScales, WatchedChunks
from dvidpc.sources.base import ChunkSource, StoredScale
from dvidpc.sources.channels import Channel
from dvidpc.sources.scale_plan import ScalePlan
from dvidpc.storage.base import ObjectStore
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.resources import Resources


class OpenedScales:
    """The scales of one volume, opened on demand.

    Args:
        store: Reads the volume.
        watch: Notices scales without chunks.
        resources: Shared by all volumes.
    """

    def __init__(self, store: ObjectStore, watch: EmptyScales, resources: Resources) -> None:
        self._store = store
        self._watch = watch
        self._resources = resources
        self._opened: list[tuple[StoredScale, list[ChunkSource]]] = []

    def copies_for(self, scale: ScalePlan, channel: Channel) -> list[CachedChunks]:
        """Return the copies of a scale as one channel shows it, the one that needs the fewest reads first."""
        sources = self._open(scale.stored.of_channel(channel.number), scale.level)
        if channel.window is not None:
            from dvidpc.sources.windowed_chunks import WindowedChunks

            sources = [WindowedChunks(source, channel.window) for source in sources]
        return [CachedChunks(source, self._resources.payloads, self._resources.pool) for source in sources]

    def _open(self, stored: StoredScale, level: int) -> list[ChunkSource]:
        for known, sources in self._opened:
            if known == stored:
                return sources
        found = stored.open(self._store, self._resources.tools)
        sources = [WatchedChunks(source, level, self._watch) for source in found]
        self._opened.append((stored, sources))
        return sources
