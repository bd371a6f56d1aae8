"""`/api/server/volumes`: the volumes with their URLs, scales and problems; the page reads it."""

from aiohttp import web

from dvidpc.data.image import ImageData, is_image
from dvidpc.data.instance import Instance
from dvidpc.data.volumes import Volume
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.web.neuroglancer import is_installed


async def volumes(request: web.Request) -> web.StreamResponse:
    """`/api/server/volumes`."""
    services = request.app[SERVICES]
    found = await services.health.check()
    problems = {alias: health.problem or health.damage for alias, health in found.items()}
    return web.Response(body=encode(overview(services, problems)), content_type="application/json")


def overview(services: Services, problems: dict[str, str | None]) -> dict[str, JsonValue]:
    """Return the document; *problems* maps a store's alias to what is wrong with its volume, or None."""
    repo, facts = services.repo, services.facts
    return {
        "uuid": repo.uuid,
        "alias": repo.alias,
        "description": repo.description,
        "note": facts.note,
        "host": facts.host,
        "version": facts.version,
        "neuroglancer": is_installed(),
        "volumes": [
            _volume(volume, instances, problems.get(volume.settings.alias))
            for volume in services.volumes.volumes
            for instances in _by_channel(volume)
        ],
    }


def _by_channel(volume: Volume) -> list[list[Instance[ImageData]]]:
    """Return the instances of a volume by channel; one empty group if the volume is not served."""
    channels: dict[int, list[Instance[ImageData]]] = {}
    for instance in filter(is_image, volume.instances):
        channels.setdefault(instance.data.channel, []).append(instance)
    return list(channels.values()) or [[]]


def _volume(
    volume: Volume, instances: list[Instance[ImageData]], problem: str | None
) -> dict[str, JsonValue]:
    return {
        "store": volume.settings.alias,
        "instance": instances[0].name if instances else volume.settings.instance,
        "url": instances[0].store_url if instances else None,
        "problem": problem,
        "type": instances[0].data.data_type.name if instances else None,
        "scales": [_scale(instance) for instance in instances],
    }


def _scale(instance: Instance[ImageData]) -> dict[str, JsonValue]:
    return {
        "name": instance.name,
        "level": instance.data.scale_level,
        "size": instance.data.size,
        "min_point": instance.data.min_point,
        "resolution_nm": instance.data.voxel_size,
        "block_size": instance.data.block_size,
        "stored": instance.data.stored_as,
        "served": instance.data.served_how,
    }
