"""`/api/server/volumes`: the volumes with their URLs, scales and problems; the page reads it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from aiohttp import web

from dvidpc.data.annotation import AnnotationData, LabelszData, is_annotation
from dvidpc.data.image import ImageData
from dvidpc.data.instance import Data, Instance
from dvidpc.data.scales import scales_of
from dvidpc.data.served_volume import Volume
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.http.cors import CORS, Refusal
from dvidpc.tasks import abandon
from dvidpc.web.neuroglancer import is_installed

_COUNTING_S: Final = 2.0
"""How long to wait until the annotations of small collections are counted."""


class _Scale(NamedTuple):
    """A scale, and the instance that shows it."""

    instance: Instance[Data]
    scale: ImageData


async def volumes(request: web.Request) -> web.StreamResponse:
    """`/api/server/volumes`."""
    services = request.app[SERVICES]
    found = await services.health.check()
    problems = {alias: health.problem or health.damage for alias, health in found.items()}
    totals = await _count_annotations(services.volumes.volumes)
    document = overview(services, problems, totals, request.app[CORS].refusals)
    return web.Response(body=encode(document), content_type="application/json")


def overview(
    services: Services,
    problems: Mapping[str, str | None],
    totals: Mapping[str, int],
    refusals: Iterable[Refusal],
) -> dict[str, JsonValue]:
    """Return the document.

    Args:
        services: The services.
        problems: What is wrong with the volume of a store, by the store's alias; None: nothing.
        totals: The number of annotations of each instance for which it is known.
        refusals: The origins whose pages were refused.
    """
    repo, facts = services.repo, services.facts
    return {
        "uuid": repo.uuid,
        "alias": repo.alias,
        "description": repo.description,
        "note": facts.note,
        "host": facts.host,
        "version": facts.version,
        "neuroglancer": is_installed(),
        "refused": [{"origin": origin, "line": line} for origin, line in refusals],
        "volumes": [
            _volume(volume, shown, problems.get(volume.settings.alias))
            for volume in services.volumes.volumes
            if not _collections_of(volume)
            for shown in _by_layer(volume)
        ],
        "collections": [
            _collection(volume, instance, problems.get(volume.settings.alias), totals)
            for volume in services.volumes.volumes
            for instance in _collections_of(volume)
        ],
    }


async def _count_annotations(volumes: Sequence[Volume]) -> dict[str, int]:
    """Return the number of annotations of each instance; those that are not known in time are left out."""
    counting = {
        instance.name: asyncio.ensure_future(instance.data.source.total())
        for volume in volumes
        for instance in _collections_of(volume)
    }
    if counting:
        await asyncio.wait(counting.values(), timeout=_COUNTING_S)
    await abandon([task for task in counting.values() if not task.done()])
    done = {
        name: task for name, task in counting.items() if not task.cancelled() and task.exception() is None
    }
    return {name: total for name, task in done.items() if (total := task.result()) is not None}


def _collections_of(volume: Volume) -> list[Instance[AnnotationData]]:
    """Return the instances of a volume that are annotations."""
    return [one for one in volume.instances if is_annotation(one)]


def _collection(
    volume: Volume, instance: Instance[AnnotationData], problem: str | None, totals: Mapping[str, int]
) -> dict[str, JsonValue]:
    data = instance.data
    counts = [one.name for one in volume.instances if isinstance(one.data, LabelszData)]
    return {
        "store": volume.settings.alias,
        "instance": instance.name,
        "url": instance.store_url,
        "problem": problem,
        "type": data.data_type.name,
        "geometry": data.plan.collection.annotation_type.value,
        "count": totals.get(instance.name),
        "properties": [each.id for each in data.plan.collection.properties],
        "relationships": [each.id for each in data.plan.collection.relationships],
        "sync": data.framed.frame.sync,
        "voxel_size_nm": data.framed.roles.voxel_size_nm,
        "bounds": None if data.bounds is None else [data.bounds.start, data.bounds.stop],
        "counts": counts[0] if counts else None,
        "explanation": data.plan.explanation,
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
