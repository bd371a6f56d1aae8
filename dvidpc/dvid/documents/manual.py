"""The endpoints that document the API: `/api/openapi.json`, `/api/help`, `/interface`."""

from aiohttp import web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.documents.help import help_page, interface, type_help
from dvidpc.dvid.documents.openapi import make_openapi
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import API, HTML, JSON, TEXT
from dvidpc.formats.dvid.go_json import encode
from dvidpc.http.etags import answer_whole

INTERFACE_VERSION = "v1"
"""The version of DVID's API."""

RAML = "application/raml+yaml"


async def openapi(request: web.Request) -> web.StreamResponse:
    """Answer `/api/openapi.json`."""
    services = request.app[SERVICES]
    facts = services.facts
    data = next(iter(services.repo.instances), "grayscale")
    title = f"DVID API of {facts.host}"
    document = make_openapi(request.app[API], title, facts.version, services.base_path, data)
    return answer_whole(request, encode(document), JSON)


async def help_index(request: web.Request) -> web.StreamResponse:
    """Answer `/api/help`, with or without a trailing slash."""
    up = "../" if request.path.endswith("/") else ""
    page = help_page(request.app[API], request.app[SERVICES].facts, up)
    return answer_whole(request, page.encode(), HTML)


async def help_of_type(request: web.Request) -> web.StreamResponse:
    """Answer `/api/help/{type}`."""
    return answer_whole(request, type_help(request.app[API], request.match_info["type"]).encode(), TEXT)


async def help_of_data(request: web.Request, instance: Instance[Data]) -> web.StreamResponse:
    """Answer `/api/node/{uuid}/{data}/help`: the help of its type and one more newline, as in DVID."""
    text = type_help(request.app[API], instance.data.data_type.name)
    return answer_whole(request, f"{text}\n".encode(), TEXT)


async def interface_raml(request: web.Request) -> web.StreamResponse:
    """Answer `/interface`."""
    return answer_whole(request, interface(request.app[API], INTERFACE_VERSION).encode(), RAML)


async def interface_version(request: web.Request) -> web.StreamResponse:
    """Answer `/interface/version`."""
    return answer_whole(request, f"{INTERFACE_VERSION}\n".encode(), TEXT)
