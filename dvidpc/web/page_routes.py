"""The routes of the page at `/`, of its files, and of the bundled Neuroglancer."""

from typing import Final

from aiohttp import hdrs

from dvidpc.dvid.table import HTML, JSON, Doc, Route
from dvidpc.web import front_page, neuroglancer, overview, web_client

ROUTES: Final = (
    Route("/", web_client.home, Doc("The web client, or what is served here, for people.", (HTML,))),
    Route(
        "/api/server/volumes",
        overview.volumes,
        Doc("What is served, from where, how, and whether it can be read.", (JSON,)),
    ),
)
"""Routes that help and OpenAPI describe."""

_UNDOCUMENTED = Doc("")
PAGES: Final = (
    Route("/page/{file}", front_page.page_file, _UNDOCUMENTED),
    Route("/neuroglancer/", neuroglancer.home, _UNDOCUMENTED),
    Route("/neuroglancer/v/1/", neuroglancer.client_file, _UNDOCUMENTED),
    Route("/neuroglancer/v/1/{file}", neuroglancer.client_file, _UNDOCUMENTED),
    Route("/neuroglancer/events/1", neuroglancer.events, _UNDOCUMENTED),
    Route(
        "/neuroglancer/credentials/1",
        neuroglancer.credentials,
        _UNDOCUMENTED,
        (hdrs.METH_POST,),
        reads_body=True,
    ),
)
"""Routes that are not part of the API, so help and OpenAPI omit them."""
