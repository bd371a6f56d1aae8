"""Which requests get an answer without the blocks that failed, instead of an error."""

import time
from typing import Final

from aiohttp import web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.services import SERVICES
from dvidpc.log.escaping import one_line
from dvidpc.volume.omission import Omission

OMISSION: Final = web.RequestKey("omission", Omission)
"""How blocks are left out of the answer; a request without it gets an error if a block fails."""
ALL_LEFT_OUT: Final = web.RequestKey("all_left_out", str)
"""Why the answer holds no blocks at all; a request without it is answered as usual."""

_SHOWN: Final = 60
"""Characters of a query value that a log line shows."""


def omission_for(request: web.Request, instance: Instance[Data]) -> Omission | None:
    """Return how failed blocks are left out of the answer; None if its client bears an error."""
    if "app" not in request.query:  # spares almost every request the rest
        return None
    app = request.query["app"].casefold()
    services = request.app[SERVICES]
    if app not in map(str.casefold, services.limits.omit_failed_blocks_for):
        return None
    return Omission(
        _name_client(request),
        instance.name,
        time.monotonic() + services.limits.patient_wait_timeout_s,
        is_pressed=lambda: services.admission.waiting > 0,
    )


def omission_of(request: web.Request) -> Omission | None:
    """Return what `OMISSION` is for *request*; None if a block that fails has to fail the answer."""
    if "app" not in request.query:  # spares almost every request the look-up of a missing key
        return None
    omission: Omission | None = request.get(OMISSION)
    return omission


def _name_client(request: web.Request) -> str:
    """Return the program, the user and the address of a client, for the log."""
    query = request.query
    user = f" of {query['u'][:_SHOWN]}" if query.get("u") else ""
    return one_line(f"{query.get('app', '')[:_SHOWN]}{user} at {request.remote or '-'}")
