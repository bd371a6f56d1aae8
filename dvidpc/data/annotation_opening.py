"""Make the data of a collection of annotations, and of the counts of those in each segment.

Nothing is read here. The first request finds out whether an index is missing or broken.
"""

from collections.abc import Iterator

from dvidpc.data.annotation import AnnotationData, LabelszData
from dvidpc.data.instance import Data
from dvidpc.formats.precomputed.annotation_extents import voxel_bounds
from dvidpc.names import counts_name
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader, AnnotationTools
from dvidpc.storage.base import ObjectStore
from dvidpc.volume.resources import Resources


def make_annotations(
    plan: VolumePlan, store: ObjectStore, resources: Resources
) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance of a collection.

    Args:
        plan: Its plan, which knows whose voxels positions count in.
        store: Reads the collection.
        resources: Shared by all volumes.
    """
    collection = plan.collection
    assert collection is not None
    framed = collection.framed
    assert framed is not None
    tools = AnnotationTools(
        resources.indexes,
        resources.payloads,
        resources.pool,
        resources.max_cells,
        resources.max_annotations,
        resources.max_response,
    )
    reader = AnnotationReader(store, collection.metadata, collection.collection, framed.roles, tools)
    bounds = framed.frame.extents or voxel_bounds(collection.collection, framed.roles)
    yield plan.name, AnnotationData(reader, framed, bounds)
    if collection.counts_labels:
        yield counts_name(plan.name), LabelszData(reader, plan.name)
