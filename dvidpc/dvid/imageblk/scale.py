"""`?scale=N`: the same question to a coarser instance."""

from aiohttp import web

from dvidpc.data.repo import Instance
from dvidpc.dvid.geometry import parse_uint8
from dvidpc.dvid.services import SERVICES


def at_scale(request: web.Request, instance: Instance) -> Instance:
    """The instance that `scale=N` makes of *instance*: N scales coarser than it, itself for 0 and without.

    libdvid sends `scale=0` to instances of any scale.

    Raises:
        RequestError: N is no number, or the volume has no such scale.
    """
    text = request.query.get("scale", "")
    return request.app[SERVICES].repo.coarser(instance, parse_uint8(text)) if text else instance
