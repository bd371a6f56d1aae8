"""How a precomputed collection of annotations is served, decided from its `info` and the store's keys."""

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.annotation_info import parse_annotation_info
from dvidpc.sources.collection_plan import CollectionPlan
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings


def plan_collection(metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
    """Decide what can be decided about a collection before other volumes are known.

    Raises:
        FormatError: The `info` cannot be understood; the message names it.
    """
    try:
        collection = parse_annotation_info(metadata.data)
    except FormatError as error:
        raise FormatError(f"{metadata.url}: {error}") from error
    plan = CollectionPlan(collection, metadata)
    warnings = ("skip_scales has no effect: annotations have no scales",) if settings.skip_scales else ()
    return VolumePlan(settings.instance, (), (), (), warnings, collection=plan)
