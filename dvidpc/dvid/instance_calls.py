"""Dispatch requests to data instances: `/api/node/{uuid}/{data}/{endpoint}...`.

As in DVID, each data type has its own table of endpoints, and its own words for refusing a method.
(imageblk.go:2249, 3400c2cb)
"""

from collections.abc import Awaitable
from functools import partial
from typing import Any, Final

from aiohttp import hdrs, web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.patience import ALL_LEFT_OUT, OMISSION, omission_for
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import API, Endpoint
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError, StoreError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.http.error_responses import plain_error
from dvidpc.http.etags import name_answer
from dvidpc.http.lifetime import INCOMPLETE

_METHODS: Final = frozenset((hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_OPTIONS))
"""DVID refuses HEAD and OPTIONS too, but clients and browsers need them."""


async def call_instance(request: web.Request) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/{data}/{endpoint}...`."""
    method = request.method
    if method not in _METHODS:
        name = request.match_info["data"]
        raise RequestError(f'Data "{name}" can only handle GET or POST HTTP verbs')
    instance = _instance_of(request)
    name, *_ = call_parts(request)
    endpoint = request.app[API].families[instance.data.data_type.family].endpoints.get(name)
    if endpoint is None:
        return _bad_call(request, instance)
    if method == hdrs.METH_OPTIONS:
        return web.Response(headers={hdrs.ALLOW: "GET, HEAD, OPTIONS"})
    if method == hdrs.METH_POST and not endpoint.reads_post:
        raise RequestError(_post_refusal(request, endpoint, instance))
    if endpoint.is_document:
        return name_answer(request, await endpoint.handler(request, instance), is_document=True)
    return name_answer(request, await _admitted(request, instance, endpoint), is_document=False)


def _admitted(
    request: web.Request, instance: Instance[Data], endpoint: Endpoint[Any]
) -> Awaitable[web.StreamResponse]:
    """Return what waits until the load allows it, and then for the response of *endpoint*."""
    admission = request.app[SERVICES].admission
    handle = partial(endpoint.handler, request, instance)
    omission = omission_for(request, instance) if endpoint.omits_failed else None
    if omission is None:
        return admission.run(request, handle)

    def leave_all_out(reason: str) -> Awaitable[web.StreamResponse]:
        request[ALL_LEFT_OUT] = reason
        return handle()

    request[OMISSION] = omission
    request[INCOMPLETE] = True
    return admission.run_patiently(request, omission.until, handle, leave_all_out)


def _instance_of(request: web.Request) -> Instance[Data]:
    """Return the instance that the path of a request names.

    Raises:
        RequestError: The instance does not exist.
        StoreError: The instance may exist later: its volume has not been opened yet.
    """
    services, match = request.app[SERVICES], request.match_info
    if match["data"] not in services.repo.instances:
        reason = services.volumes.reason_to_wait(match["data"])
        if reason is not None:
            services.repo.resolve(match["uuid"])
            raise StoreError(f"{quote(match['data'])} is not served yet: {reason}")
    return services.repo.instance(match["uuid"], match["data"])


def _post_refusal(request: web.Request, endpoint: Endpoint[Any], instance: Instance[Data]) -> str:
    if endpoint.post_refusal is not None:
        return endpoint.post_refusal.format(name=instance.name)
    keyword = quote(call_parts(request)[0])
    return f"Cannot do POST on endpoint {keyword} of locked node {request.app[SERVICES].repo.uuid}"


def _bad_call(request: web.Request, instance: Instance[Data]) -> web.Response:
    services = request.app[SERVICES]
    root = f"{services.facts.scheme}://{services.facts.host}{services.base_path}"
    return plain_error(
        400,
        f'Bad API call ({request.path}) for data "{instance.name}".  '
        f"See API help at {root}/api/help/{instance.data.data_type.name}\n",
    )
