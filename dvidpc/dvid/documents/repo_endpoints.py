"""The endpoints that describe the repo, its version and its instances, without reading a voxel."""

from aiohttp import web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.documents import repo_documents
from dvidpc.dvid.documents.framing import json_answer, text_answer
from dvidpc.dvid.documents.instance_documents import tags_of
from dvidpc.dvid.public import PublicData
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.dvid.table import JSON
from dvidpc.errors import RequestError
from dvidpc.http.cors import CORS
from dvidpc.http.etags import answer_document


async def repos_info(request: web.Request) -> web.StreamResponse:
    """Answer `/api/repos/info`."""
    document = request.app[SERVICES].encoded.repos_info(_limit(request))
    return answer_document(request, document, JSON)


async def repo_head(request: web.Request) -> web.StreamResponse:
    """Answer `HEAD /api/repo/{uuid}`."""
    return text_answer(f"Repo available with root UUID {_resolve(request).repo.uuid}\n")


async def repo_info(request: web.Request) -> web.StreamResponse:
    """Answer `/api/repo/{uuid}/info`."""
    return answer_document(request, _resolve(request).encoded.repo_info(_limit(request)), JSON)


async def repo_log(request: web.Request) -> web.StreamResponse:
    """Answer `/api/repo/{uuid}/log`."""
    return json_answer(repo_documents.repo_log(_resolve(request).repo))


async def branch_versions(request: web.Request) -> web.StreamResponse:
    """Answer `/api/repo/{uuid}/branch-versions/{name}`; an unknown branch has no versions."""
    return json_answer(_resolve(request).repo.branch_versions(request.match_info["name"]))


async def node_note(request: web.Request) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/note`."""
    _resolve(request)
    return json_answer(repo_documents.node_note())


async def node_log(request: web.Request) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/log`."""
    _resolve(request)
    return json_answer(repo_documents.node_log())


async def node_status(request: web.Request) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/status` and `GET /api/node/{uuid}/commit`."""
    _resolve(request)
    return json_answer(repo_documents.node_status())


async def data_tags(_request: web.Request, instance: Instance[Data]) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/{data}/tags`."""
    return json_answer({"Tags": tags_of(instance.data)})


async def data_sync(_request: web.Request, _instance: Instance[Data]) -> web.StreamResponse:
    """Refuse `/api/node/{uuid}/{data}/sync`, which exists in DVID for writing only."""
    raise RequestError("Only POST allowed to sync endpoint")


async def data_info(request: web.Request, instance: Instance[Data]) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/{data}/info`."""
    return answer_document(request, request.app[SERVICES].encoded.instance_info(instance), JSON)


def _limit(request: web.Request) -> PublicData | None:
    """Return what the documents that strangers may read are limited to; None: no stranger asks."""
    return request.app[SERVICES].public if request.app[CORS].is_stranger(request) else None


def _resolve(request: web.Request) -> Services:
    """Return the services, if the UUID in the path names the repo.

    Raises:
        RequestError: It does not.
    """
    services = request.app[SERVICES]
    services.repo.resolve(request.match_info["uuid"])
    return services
