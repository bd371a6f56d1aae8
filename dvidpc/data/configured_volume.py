"""A volume of the configuration, and its state."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dvidpc.data.instance import Data, Instance
from dvidpc.sources.engines import SourceFormat
from dvidpc.sources.plan import Metadata, VolumeSettings
from dvidpc.storage.base import ObjectStore

if TYPE_CHECKING:
    from dvidpc.data.volume_index import IndexSource


@dataclass(slots=True)
class Volume:
    """One volume of the configuration, and its state."""

    settings: VolumeSettings
    source_format: SourceFormat
    problem: str | None = "not opened yet"
    """Why it is not served as configured; None if it is."""
    may_pass: bool = True
    """Whether the problem may pass by itself: it is the bucket's or the environment's, not the metadata's."""
    instances: Sequence[Instance[Data]] = field(default_factory=list)
    """Its instances in the repo."""
    store: ObjectStore | None = None
    """What the instances are read from; None if there are none."""
    metadata: Metadata | None = None
    """What the instances were made from; None if there are none."""
    complaint: str = ""
    """The last error logged about metadata that cannot be used."""
    index_source: "IndexSource | None" = None
    """Its label index; None if none is configured, or the volume is not served."""
