"""`/api/server/volumes`: the volumes with their URLs, scales and problems; the page reads it."""

from typing import NamedTuple

from aiohttp import web

from dvidpc.data.configured_volume import Volume
from dvidpc.data.image import ImageData
from dvidpc.data.instance import Data, Instance
from dvidpc.data.scales import scales_of
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.web.neuroglancer import is_installed


class _Scale(NamedTuple):
    """A scale, and the instance that shows it."""

    instance: Instance[Data]
    scale: ImageData


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
            _volume(volume, shown, problems.get(volume.settings.alias))
            for volume in services.volumes.volumes
            for shown in _by_layer(volume)
        ],
    }


def _by_layer(volume: Volume) -> list[list[_Scale]]:
    """Return the scales that belong together: of one channel, or of one type of labels.

    A volume that is not served has one empty group.
    """
    layers: dict[tuple[str, int], list[_Scale]] = {}
    for instance in volume.instances:
        for scale in scales_of(instance.data):
            layer = instance.data.data_type.name, scale.channel
            layers.setdefault(layer, []).append(_Scale(instance, scale))
    return list(layers.values()) or [[]]


def _volume(volume: Volume, scales: list[_Scale], problem: str | None) -> dict[str, JsonValue]:
    first = scales[0].instance if scales else None
    return {
        "store": volume.settings.alias,
        "instance": first.name if first else volume.settings.instance,
        "url": first.store_url if first else None,
        "problem": problem,
        "type": first.data.data_type.name if first else None,
        "index": _describe_index(volume, first),
        "scales": [_describe(scale) for scale in scales],
        "companions": [
            {"name": instance.name, "type": instance.data.data_type.name}
            for instance in volume.instances
            if not scales_of(instance.data)
        ],
    }


def _describe_index(volume: Volume, instance: Instance[Data] | None) -> dict[str, JsonValue] | None:
    """Return what is known of the label index of a labelmap; None if it has none."""
    source = volume.index_source
    if source is None or instance is None or instance.data.data_type.name != "labelmap":
        return None
    info = source.info
    return {"labels": None if info is None else info.labels, "problem": source.problem}


def _describe(shown: _Scale) -> dict[str, JsonValue]:
    return {
        "name": shown.instance.name,
        "level": shown.scale.scale_level,
        "size": shown.scale.size,
        "min_point": shown.scale.min_point,
        "resolution_nm": shown.scale.voxel_size,
        "block_size": shown.scale.block_size,
        "stored": shown.scale.stored_as,
        "served": shown.scale.served_how,
    }
