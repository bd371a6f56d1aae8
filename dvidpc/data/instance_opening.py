"""Make the data instances of a planned volume."""

# ruff: noqa: PLC0415  # what only segmentations or annotations need is imported when the first one is opened

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dvidpc.data.empty_scales import EmptyScales
from dvidpc.data.image_opening import make_images
from dvidpc.data.instance import Data, Instance
from dvidpc.data.opened_scales import OpenedScales
from dvidpc.data.repo import derive_data_uuid
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.sources.scale_plan import LabelType
from dvidpc.storage.base import ObjectStore, OpenLister, cannot_list
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.ref_formats import TITLES
from dvidpc.volume.resources import Resources

if TYPE_CHECKING:
    from dvidpc.data.volume_index import IndexSource, OpenIndexStore, VolumeIndex

log = logging.getLogger(__name__)


def make_instances(
    plan: VolumePlan,
    settings: VolumeSettings,
    directory: str,
    store: ObjectStore,
    repo_uuid: str,
    resources: Resources,
    open_lister: OpenLister = cannot_list,
    index: "VolumeIndex | None" = None,
) -> list[Instance[Data]]:
    """Return the instances of a volume, finest scale first; log the scales that are not served.

    Args:
        plan: The plan of the volume.
        settings: The volume's part of the configuration.
        directory: Its directory in the store, after redirects.
        store: Reads the volume.
        repo_uuid: UUID of the repo that will hold the instances.
        resources: Shared by all volumes.
        open_lister: Opens what lists the store.
        index: The label index of a segmentation; None if there is none.

    Raises:
        FormatError: DVID has no type for the volume's voxels.
    """
    url = name_object(store.url, directory).rstrip("/")
    for problem in plan.problems:
        log.error("%s: scale %d is not served: %s", url, problem.level, problem.reason)
    for line in () if plan.collection is None else plan.collection.explanation:
        log.info("%s: %s", url, line)
    opened = OpenedScales(store, EmptyScales(settings.alias, settings.skip_scales), resources)
    title = TITLES.get(settings.engine, settings.engine)
    instances = [
        Instance(name, derive_data_uuid(repo_uuid, name), settings.alias, url, data, title)
        for name, data in _make(plan, opened, store, resources, open_lister, index)
    ]
    for warning in plan.warnings:
        log.warning("%s: %s", url, warning)
    return instances


def make_index_source(
    plan: VolumePlan, settings: VolumeSettings, open_store: "OpenIndexStore", resources: Resources
) -> "IndexSource | None":
    """Return where the label index of a volume lies; None if it has none, or is no labelmap.

    Args:
        plan: The plan of the volume.
        settings: The volume's part of the configuration.
        open_store: Opens the store of the index.
        resources: Shared by all volumes.
    """
    if settings.label_index is None:
        return None
    if LabelType.LABELMAP not in plan.label_types:
        log.warning("store %s: label_index has no effect: it is not served as a labelmap", settings.alias)
        return None
    from dvidpc.data.volume_index import IndexSource

    return IndexSource(settings.alias, open_store, resources.indexes, resources.pool)


def _make(
    plan: VolumePlan,
    opened: OpenedScales,
    store: ObjectStore,
    resources: Resources,
    open_lister: OpenLister,
    index: "VolumeIndex | None",
) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance; arguments as for `make_instances` and `make_images`."""
    if plan.collection is not None:
        from dvidpc.data.annotation_opening import make_annotations

        yield from make_annotations(plan, store, resources, open_lister)
        return
    yield from _make_voxels(plan, opened, resources, index)
    yield from _make_companions(plan, store, resources, open_lister)


def _make_voxels(
    plan: VolumePlan, opened: OpenedScales, resources: Resources, index: "VolumeIndex | None"
) -> Iterator[tuple[str, Data]]:
    if not plan.label_types:
        return make_images(plan, opened, resources)
    from dvidpc.data.label_opening import make_labels

    return make_labels(plan, opened, resources, index)


def _make_companions(
    plan: VolumePlan, store: ObjectStore, resources: Resources, open_lister: OpenLister
) -> Iterator[tuple[str, Data]]:
    if not plan.companions:
        return iter(())
    from dvidpc.data.companion_opening import make_companions

    return make_companions(plan, store, resources, open_lister)
