"""`/api/server/volumes`: the volumes with their URLs, scales and problems; the page reads it."""

from aiohttp import web

from dvidpc.data.repo import Instance
from dvidpc.data.summary import served_how, size_of, stored_as
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
            _volume(volume, instances, problems.get(volume.source.alias))
            for volume in services.volumes.volumes
            for instances in _by_channel(volume)
        ],
    }


def _by_channel(volume: Volume) -> list[list[Instance]]:
    """Return the instances of a volume, grouped by channel; one empty group if the volume is not served."""
    channels: dict[int, list[Instance]] = {}
    for instance in volume.instances:
        channels.setdefault(instance.channel, []).append(instance)
    return list(channels.values()) or [[]]


def _volume(volume: Volume, instances: list[Instance], problem: str | None) -> dict[str, JsonValue]:
    return {
        "store": volume.source.alias,
        "instance": instances[0].name if instances else volume.source.instance,
        "url": instances[0].store_url if instances else None,
        "problem": problem,
        "type": instances[0].voxel_type.type_name if instances else None,
        "scales": [_scale(instance) for instance in instances],
    }


def _scale(instance: Instance) -> dict[str, JsonValue]:
    return {
        "name": instance.name,
        "level": instance.scale_level,
        "size": size_of(instance),
        "min_point": instance.min_point,
        "resolution_nm": instance.voxel_size,
        "block_size": instance.block_size,
        "stored": stored_as(instance),
        "served": served_how(instance),
    }
