"""Open a volume for a test as the server does, without a server."""

from dvidpc.data.image import ImageData
from dvidpc.data.image_opening import make_instances
from dvidpc.data.instance import Data, Instance
from dvidpc.data.repo import derive_data_uuid
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.volume.resources import Resources

SETTINGS = VolumeSettings("em", "em", 64)


async def load_plan(store: ObjectStore, settings: VolumeSettings = SETTINGS) -> VolumePlan:
    """What is decided about the volume in *store*."""
    engine = ENGINES[settings.engine]
    return engine.plan(await engine.load(store, settings.directory), settings)


async def open_images(
    store: ObjectStore, resources: Resources, settings: VolumeSettings = SETTINGS
) -> list[ImageData]:
    """The images that the volume in *store* becomes, finest first."""
    plan = await load_plan(store, settings)
    instances = make_instances(plan, settings, settings.directory, store, "0" * 32, resources)
    return [data_of(instance) for instance in instances]


def data_of(instance: Instance[Data]) -> ImageData:
    """The image that an instance serves."""
    assert isinstance(instance.data, ImageData)
    return instance.data


def image_instance(name: str, store_alias: str, repo_uuid: str, data: ImageData) -> Instance[ImageData]:
    """An instance that no volume stands behind."""
    uuid = derive_data_uuid(repo_uuid, name)
    return Instance(name, uuid, store_alias, f"gs://bucket/{store_alias}/", data)
