"""The OpenAPI 3.1 document of this server, made from the table of its routes."""

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
    301: "The path has more slashes or dots than it needs; Location is the clean one.",
    400: "The request is wrong; the text says what.",
    413: "More is asked for than a limit allows; the text names it.",
    429: "The operator has blocked the user or the address.",
    503: "Too much to do, or a bucket failed: come again after Retry-After.",
}
_DATA_ROUTE: Mapping[int, str] = {
    502: "What is stored breaks the format.",
    504: "A bucket is too slow.",
}
_DESCRIPTION = (
    "Neuroglancer precomputed volumes, read-only, by DVID's HTTP API. Errors are plain text. "
    "Every answer may be read by the pages that the server's corsDomains allow."
)


def operations(api: Api) -> Iterator[tuple[str, tuple[str, ...], Doc]]:
    """Everything that can be asked: path, methods, and what is to be said of it."""
    for route in api.routes:
        yield route.path, route.methods, route.doc
    for name, endpoint in api.endpoints.items():
        for form in endpoint.doc.forms or (name,):
            yield f"{INSTANCE_PATH}/{form}", GET, endpoint.doc


def make_openapi(api: Api, title: str, version: str, base_path: str, data: str) -> dict[str, JsonValue]:
    """The document; *base_path* is where the paths of the table start, *data* an instance for examples."""
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
        "200": {"description": "As asked for.", "content": _content(doc.media, method)}
    }
    if method in GET:
        responses["304"] = {"description": "It is still what If-None-Match names."}
    told = {**_ANY_ROUTE, **(_DATA_ROUTE if path.startswith(INSTANCE_PATH) else {})}
    told |= {status: HTTPStatus(status).phrase for status in doc.statuses}
    if "{" in path:
        told[404] = "No such path."
    for status, description in sorted(told.items()):
        responses[str(status)] = {"description": description, "content": _content((TEXT,), method)}
    return responses


def _content(media: Iterable[str], method: str) -> dict[str, JsonValue]:
    if method == hdrs.METH_HEAD:
        return {}
    return {name: {} for name in media}
