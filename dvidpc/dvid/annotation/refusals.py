"""The endpoints of `annotation` that are refused, in DVID's words where DVID has such a refusal.

(annotation/handlers.go, 3400c2cb)
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.annotation.elements import refuse_more_parts
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.numbers import SHOWN
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote


async def roi(request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
    """Refuse `roi/<roi>[,<uuid>]`: there are no regions of interest, so none has that name."""
    _, *parts = call_parts(request)
    if not parts:
        raise RequestError("Expect ROI specification to follow 'roi' in GET request")
    spec = parts[0][:SHOWN]
    commas = parts[0].count(",")
    if commas > 1:
        raise RequestError(f"Bad ROI specification: {quote(spec)}")
    whole = spec if commas else f"{spec},{request.app[SERVICES].repo.uuid}"
    raise RequestError(f"ROI specification was not parsable (roi:{whole}): invalid data instance name\n")


async def scan(request: web.Request, instance: Instance[Data]) -> web.StreamResponse:
    """Refuse `scan`, which counts the key-value pairs of DVID's database."""
    refuse_more_parts(request)
    raise RequestError(
        f'data {quote(instance.name)} has no key-value pairs: "scan" endpoint is not supported'
    )


def only(method: str) -> Callable[[web.Request, Instance[Data]], Awaitable[web.StreamResponse]]:
    """Return a handler that refuses to read, because the endpoint exists for writing only."""

    async def refuse(request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
        endpoint = call_parts(request)[0]
        raise RequestError(f"Only {method} action is available on '{endpoint}' endpoint.")

    return refuse
