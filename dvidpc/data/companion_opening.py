"""Make the data of what lies beside a segmentation: meshes, skeletons and annotations.

Nothing is read here. A directory that is missing or broken does not affect the segmentation.
"""

from collections.abc import Iterator

from dvidpc.data.instance import Data
from dvidpc.data.keyvalue import KeyvalueData
from dvidpc.data.neuronjson import NeuronjsonData
from dvidpc.data.segment_keys import IdsOfProperties
from dvidpc.data.segment_values import MESHES, SKELETONS, SegmentValues
from dvidpc.names import Companion
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.precomputed.property_reader import PropertyReader
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from dvidpc.storage.base import ObjectStore, OpenLister
from dvidpc.volume.resources import Resources


def make_companions(
    plan: VolumePlan, store: ObjectStore, resources: Resources, open_lister: OpenLister
) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance that belongs to a segmentation; none for an image.

    Args:
        plan: The plan of the volume.
        store: Reads the volume.
        resources: Shared by all volumes.
        open_lister: Opens what lists the volume's store.
    """
    tools = SegmentTools(
        resources.indexes,
        resources.payloads,
        resources.pool,
        plan.scales[0].resolution_nm,
        resources.max_mesh,
    )
    directories = dict(plan.directories)
    properties = None
    if Companion.ANNOTATIONS in directories:
        properties = PropertyReader(store, directories[Companion.ANNOTATIONS], tools)
    segments = None if properties is None else IdsOfProperties(properties)
    for name, companion, directory in plan.companions:
        place = store, directory, tools, segments, open_lister
        match companion:
            case Companion.MESHES:
                yield name, KeyvalueData(companion, SegmentValues(MESHES, *place))
            case Companion.SKELETONS:
                yield name, KeyvalueData(companion, SegmentValues(SKELETONS, *place))
            case Companion.ANNOTATIONS:
                assert properties is not None
                yield name, NeuronjsonData(properties, resources.pool)
