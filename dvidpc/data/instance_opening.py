"""Make the data instances of a planned volume."""

import logging

from dvidpc.data.companion_opening import make_companions
from dvidpc.data.empty_scales import EmptyScales
from dvidpc.data.image_opening import make_images
from dvidpc.data.instance import Data, Instance
from dvidpc.data.label_opening import make_labels
from dvidpc.data.listed_ids import OpenLister, cannot_list
from dvidpc.data.opened_scales import OpenedScales
from dvidpc.data.repo import derive_data_uuid
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.ref_formats import TITLES
from dvidpc.volume.resources import Resources

log = logging.getLogger(__name__)


def make_instances(
    plan: VolumePlan,
    settings: VolumeSettings,
    directory: str,
    store: ObjectStore,
    repo_uuid: str,
    resources: Resources,
    open_lister: OpenLister = cannot_list,
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

    Raises:
        FormatError: DVID has no type for the volume's voxels.
    """
    url = name_object(store.url, directory).rstrip("/")
    for problem in plan.problems:
        log.error("%s: scale %d is not served: %s", url, problem.level, problem.reason)
    copies = OpenedScales(store, EmptyScales(settings.alias, settings.skip_scales), resources)
    make = make_labels if plan.label_types else make_images
    title = TITLES.get(settings.engine, settings.engine)
    instances = [
        Instance(name, derive_data_uuid(repo_uuid, name), settings.alias, url, data, title)
        for name, data in (
            *make(plan, copies, resources),
            *make_companions(plan, store, resources, open_lister),
        )
    ]
    for warning in plan.warnings:
        log.warning("%s: %s", url, warning)
    return instances
