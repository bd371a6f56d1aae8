"""Open a volume as the server does, without a server."""

from typing import TYPE_CHECKING, cast

from dvidpc.data.image import VOXEL_TYPES, ImageData
from dvidpc.data.instance import Data, Instance
from dvidpc.data.instance_opening import make_instances
from dvidpc.data.repo import derive_data_uuid
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.types import Point
from dvidpc.volume.resources import Resources

if TYPE_CHECKING:
    from dvidpc.volume.grid_store import GridStore

SETTINGS = VolumeSettings("em", "em", 64)


async def load_plan(store: ObjectStore, settings: VolumeSettings = SETTINGS) -> VolumePlan:
    """Return the plan of the volume in *store*."""
    engine = ENGINES[settings.engine]
    return engine.plan(await engine.load(store, settings), settings)


async def open_images(
    store: ObjectStore, resources: Resources, settings: VolumeSettings = SETTINGS
) -> list[ImageData]:
    """Return the images of the volume in *store*, finest scale first."""
    plan = await load_plan(store, settings)
    instances = make_instances(plan, settings, settings.directory, store, "0" * 32, resources)
    return [data_of(instance) for instance in instances]


def data_of(instance: Instance[Data]) -> ImageData:
    """Return the image that an instance serves."""
    assert isinstance(instance.data, ImageData)
    return instance.data


def image_instance(name: str, store_alias: str, repo_uuid: str, data: ImageData) -> Instance[ImageData]:
    """Return an instance that belongs to no volume."""
    uuid = derive_data_uuid(repo_uuid, name)
    return Instance(name, uuid, store_alias, f"gs://bucket/{store_alias}/", data)


IMAGE = ImageData(
    voxel_type=VOXEL_TYPES["uint8blk"],
    scale_level=0,
    compression="jpeg compression, level 32",
    voxel_size=(8.0, 8.0, 8.0),
    min_point=Point(0, 0, 0),
    max_point=Point(149, 129, 99),
    block_size=64,
    grid=cast("GridStore", None),
    stored_as="jpeg chunks of 64 x 64 x 64",
    served_how="as stored",
)
"""The finest scale of an 8-bit volume, without a grid store."""

GRAY = image_instance("gray", "em", "28841c8277e044a7b187dda03e18da13", IMAGE)
