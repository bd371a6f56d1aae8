"""Make the data of a collection of annotations, and of the counts of those in each segment.

Nothing is read here. The first request finds out whether an index is missing or broken.
"""

from collections.abc import Iterator

from dvidpc.data.annotation import AnnotationData, LabelszData
from dvidpc.data.instance import Data
from dvidpc.data.label_ranks import LabelRanks
from dvidpc.formats.precomputed.annotation_extents import voxel_bounds
from dvidpc.names import counts_name
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.precomputed.annotation_places import AnnotationTools
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from dvidpc.storage.base import ObjectStore, OpenLister
from dvidpc.volume.resources import Resources


def make_annotations(
    plan: VolumePlan, store: ObjectStore, resources: Resources, open_lister: OpenLister
) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance of a collection.

    Args:
        plan: Its plan, which knows whose voxels positions count in.
        store: Reads the collection.
        resources: Shared by all volumes.
        open_lister: Opens what lists the store.
    """
    collection = plan.collection
    assert collection is not None
    assert collection.framed is not None
    reader = open_reader(plan, store, resources)
    bounds = collection.framed.frame.extents or voxel_bounds(collection.collection, collection.framed.roles)
    yield plan.name, AnnotationData(reader, collection, bounds)
    if collection.counts_labels:
        ranks = LabelRanks(reader, collection, store, open_lister)
        yield counts_name(plan.name), LabelszData(reader, ranks, plan.name)


def open_reader(plan: VolumePlan, store: ObjectStore, resources: Resources) -> AnnotationReader:
    """Return what reads a collection; arguments as for `make_annotations`."""
    collection = plan.collection
    assert collection is not None
    assert collection.framed is not None
    tools = AnnotationTools(
        resources.indexes,
        resources.payloads,
        resources.pool,
        resources.max_cells,
        resources.max_annotations,
        resources.max_response,
    )
    return AnnotationReader(store, collection.metadata, collection.collection, collection.framed.roles, tools)
