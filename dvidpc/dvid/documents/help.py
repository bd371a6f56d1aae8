"""The help for people: `/api/help`, what instances answer, `/interface`; made from the table of routes."""

import textwrap
from collections.abc import Iterator, Mapping

from dvidpc.data.repo import VOXEL_TYPES
from dvidpc.dvid.descriptions import PATH_PARAMETERS
from dvidpc.dvid.documents.bodies import ServerFacts
from dvidpc.dvid.documents.openapi import operations
from dvidpc.dvid.table import GET, Api, Doc, Parameter
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote

_WIDTH = 100


def help_page(api: Api, facts: ServerFacts, up: str) -> str:
    """`/api/help`, in HTML; *up* leads from its address to the API's root: `../` or empty."""
    from html import escape  # noqa: PLC0415 - knows 2,000 entities, and programs need no page

    rows = "".join(
        f"<tr><td>{escape(_verb(route.methods))}<td><code>{escape(route.path)}{escape(_query(route.doc))}</code>"
        f"<td>{escape(route.doc.summary)}\n"
        for route in api.routes
    )
    types = "".join(f"<li><a href={up}help/{name}>{name}</a>" for name in VOXEL_TYPES)
    return _HELP_PAGE.format(
        host=escape(facts.host), version=escape(facts.version), rows=rows, types=types, up=up
    )


def type_help(api: Api, type_name: str) -> str:
    """`/api/help/{type}`, in plain text.

    Raises:
        RequestError: There is no such type.
    """
    voxel_type = VOXEL_TYPES.get(type_name)
    if voxel_type is None:
        raise RequestError(f"Data type {quote(type_name)} is not supported by current DVID server")
    values = ", ".join(voxel_type.labels)
    head = _TYPE_HELP.format(type_name=type_name, data_type=voxel_type.data_type, values=values)
    sections = (_section(name, endpoint.doc) for name, endpoint in api.endpoints.items())
    return "\n".join((head, *sections))


def interface(api: Api, version: str) -> str:
    """`/interface`: what DVID answers in RAML 0.8, by the same table."""
    lines = ["#%RAML 0.8", "title: DVID", f"version: {version}", 'baseUri: "/"']
    for path, methods, doc in operations(api):
        lines.append(f"{path if path == '/' else path.rstrip('/')}:")
        for method in methods:
            lines += [f"  {method.lower()}:", f"    description: {quote(doc.summary)}"]
    return "\n".join(lines) + "\n"


def _section(name: str, doc: Doc) -> str:
    forms = [
        f"GET /api/node/<UUID>/<data name>/{_angled(form)}{_query(doc)}" for form in doc.forms or (name,)
    ]
    parameters = {
        part: PATH_PARAMETERS[part] for form in doc.forms for part in PATH_PARAMETERS if f"{{{part}}}" in form
    }
    return "\n".join((*forms, "", *_wrapped(doc.summary, ""), *_listed({**parameters, **doc.query}), ""))


def _listed(parameters: Mapping[str, Parameter]) -> Iterator[str]:
    if parameters:
        yield ""
    for name, parameter in parameters.items():
        yield from _wrapped(f"{name:<14}{parameter.meaning} (such as {parameter.example})", " " * 14)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4 + indent)


def _angled(form: str) -> str:
    return form.replace("{", "<").replace("}", ">")


def _query(doc: Doc) -> str:
    return f"?{'&'.join(f'{name}=' for name in doc.query)}" if doc.query else ""


def _verb(methods: tuple[str, ...]) -> str:
    return "GET" if methods == GET else " ".join(methods)


_HELP_PAGE = """\
<!doctype html><html lang=en><meta charset=utf-8><title>DVID API of {host}</title>
<h1>DVID API of {host}</h1>
<p>{version} serves Neuroglancer precomputed volumes read-only, by DVID's HTTP API.
The same as an OpenAPI document: <a href={up}openapi.json>openapi.json</a>.
<p>{{uuid}} is the version's UUID, any prefix of it, or <code>:master</code>; {{data}} is a data instance.
<table>
{rows}</table>
<p>What <code>/api/node/{{uuid}}/{{data}}/...</code> answers, by the type of the data:
<ul>{types}</ul></html>
"""

_TYPE_HELP = """\
{type_name}: images and volumes of {data_type} voxels ({values}), read-only

Coordinates are voxels of the whole volume along x, y and z. A block is a cube of BlockSize voxels
(see info); block coordinates are voxel coordinates divided by it. Numbers are little-endian.
"""
