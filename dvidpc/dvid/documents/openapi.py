"""Build the OpenAPI 3.1 document of this server from the table of routes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from aiohttp import hdrs

from dvidpc.dvid.descriptions import PATH_PARAMETERS, USER
from dvidpc.dvid.table import GET, TEXT, Api, Doc, Parameter
from dvidpc.formats.dvid.go_json import JsonValue

INSTANCE_PATH = "/api/node/{uuid}/{data}"

_IN_PATH = re.compile(r"{(\w+)}")
_ANY_ROUTE: Mapping[int, str] = {
    301: "The path has superfluous slashes or dots. Location holds the normalized path.",
    400: "The request is malformed or names something that does not exist; the text says what.",
    413: "The request exceeds a limit; the text names it.",
    421: "The server does not answer to the name in Host; the text says how to allow it.",
    429: "The operator has blocked this user or address.",
    503: "The server is overloaded or a bucket failed. Retry after Retry-After.",
}
_DATA_ROUTE: Mapping[int, str] = {
    502: "Stored data are damaged.",
    504: "A bucket did not answer in time.",
}
_DESCRIPTION = (
    "Read-only access to Neuroglancer precomputed volumes, zarr and N5 through DVID's HTTP API. Errors are "
    "plain text. "
    "Web pages of the server's machine may read every answer, and others if corsDomains allow their origin; "
    "every page may read volumes that are anonymous."
)


def operations(api: Api) -> Iterator[tuple[str, tuple[str, ...], Doc]]:
    """Yield every operation of the API: its path, its methods and its description."""
    for route in api.routes:
        yield route.path, route.methods, route.doc
    known = set()
    for family in api.families.values():
        for name, endpoint in family.endpoints.items():
            for form in endpoint.doc.forms or (name,):
                if form not in known:  # several types may share an endpoint
                    known.add(form)
                    yield f"{INSTANCE_PATH}/{form}", GET, endpoint.doc


def make_openapi(api: Api, title: str, version: str, base_path: str, data: str) -> dict[str, JsonValue]:
    """Return the OpenAPI document.

    Args:
        api: What to describe.
        title: Title of the document.
        version: Version of the server.
        base_path: Prefix of every path; empty if there is none.
        data: Name of an instance, for the examples.
    """
    parameters = {**PATH_PARAMETERS, "data": PATH_PARAMETERS["data"]._replace(example=data)}
    paths: dict[str, JsonValue] = {}
    for path, methods, doc in operations(api):
        paths[path] = {method.lower(): _operation(path, method, doc, parameters) for method in methods}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _DESCRIPTION},
        "servers": [{"url": base_path or "/"}],
        "paths": paths,
    }


def _operation(path: str, method: str, doc: Doc, in_path: Mapping[str, Parameter]) -> dict[str, JsonValue]:
    names = _IN_PATH.findall(path)
    parameters = [_parameter("path", name, in_path[name]) for name in names]
    query = {**doc.query, "u": USER} if path.startswith(INSTANCE_PATH) else doc.query
    parameters += [_parameter("query", name, parameter) for name, parameter in query.items()]
    return {
        "summary": doc.summary,
        "operationId": f"{method.lower()}-{_operation_name(path)}",
        "parameters": parameters,
        "responses": _responses(path, method, doc),
    }


def _operation_name(path: str) -> str:
    return path.strip("/").replace("{", "").replace("}", "").replace("/", "-") or "front-page"


def _parameter(place: str, name: str, parameter: Parameter) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {"enum": list(parameter.values)} if parameter.values else {}
    return {
        "name": name,
        "in": place,
        "required": place == "path" or parameter.required,
        "description": parameter.meaning,
        "schema": {"type": "string", **values},
        "example": parameter.example,
    }


def _responses(path: str, method: str, doc: Doc) -> dict[str, JsonValue]:
    responses: dict[str, JsonValue] = {
        "200": {"description": "Success.", "content": _content(doc.media, method)}
    }
    if method in GET:
        responses["304"] = {"description": "Unchanged: the ETag matches If-None-Match."}
    described = {**_ANY_ROUTE, **(_DATA_ROUTE if path.startswith(INSTANCE_PATH) else {})}
    described |= {status: HTTPStatus(status).phrase for status in doc.statuses}
    if "{" in path:
        described[404] = "The path does not exist."
    for status, description in sorted(described.items()):
        responses[str(status)] = {"description": description, "content": _content((TEXT,), method)}
    return responses


def _content(media: Iterable[str], method: str) -> dict[str, JsonValue]:
    if method == hdrs.METH_HEAD:
        return {}
    return {name: {} for name in media}
