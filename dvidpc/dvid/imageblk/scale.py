"""The query parameter `scale=N`: redirect a request to a coarser instance."""

from aiohttp import web

from dvidpc.data.image import ImageData, coarser_instance
from dvidpc.data.instance import Instance
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.numbers import parse_uint8


def at_scale(request: web.Request, instance: Instance[ImageData]) -> Instance[ImageData]:
    """Return the instance that is N scales coarser than *instance*; *instance* itself without `scale=N`.

    libdvid sends `scale=0` to instances of any scale.

    Raises:
        RequestError: N is not an unsigned 8-bit integer, or the volume has no such scale.
    """
    text = request.query.get("scale", "")
    return coarser_instance(request.app[SERVICES].repo, instance, parse_uint8(text)) if text else instance
