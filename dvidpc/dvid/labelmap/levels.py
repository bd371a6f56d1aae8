"""The query parameter `scale=N` of a labelmap, which holds all its scales."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.data.labelmap import LabelmapData
from dvidpc.dvid.url.numbers import parse_int32
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote

LabelHandler = Callable[[web.Request, Instance[ImageData]], Awaitable[web.StreamResponse]]
MapHandler = Callable[[web.Request, Instance[LabelmapData]], Awaitable[web.StreamResponse]]


def at_level(handler: LabelHandler) -> MapHandler:
    """Return *handler*, which answers from one scale, as a handler of a labelmap."""

    async def answer(request: web.Request, instance: Instance[LabelmapData]) -> web.StreamResponse:
        return await handler(request, level_of(request, instance))

    return answer


def level_of(request: web.Request, instance: Instance[LabelmapData]) -> Instance[ImageData]:
    """Return the scale that `scale=N` names; the finest without it.

    DVID answers with zeros for a scale that does not exist, and takes 256 for 0.

    Raises:
        RequestError: N is no integer, or there is no such scale.
    """
    text = request.query.get("scale", "")
    number = _parse_scale(text, instance) if text else 0
    level = instance.data.levels[number]
    return Instance(instance.name, instance.data_uuid, instance.store_alias, instance.store_url, level)


def _parse_scale(text: str, instance: Instance[LabelmapData]) -> int:
    try:
        number = parse_int32(text, "Atoi")
    except RequestError as error:
        raise RequestError(f"bad scale specified: {error}") from None
    most = len(instance.data.levels) - 1
    if not 0 <= number <= most:
        raise RequestError(
            f"data {quote(instance.name)} has no scale {number}; its MaxDownresLevel is {most}"
        )
    return number
