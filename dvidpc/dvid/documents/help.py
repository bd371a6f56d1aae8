"""Build the help texts from the table of routes: `/api/help`, `/api/help/{type}`, `/interface`."""

import textwrap
from collections.abc import Iterator, Mapping

from dvidpc.dvid.descriptions import PATH_PARAMETERS
from dvidpc.dvid.documents.openapi import operations
from dvidpc.dvid.documents.server_documents import ServerFacts
from dvidpc.dvid.table import GET, Api, Doc, Parameter
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote

_WIDTH = 100


def help_page(api: Api, facts: ServerFacts, up: str) -> str:
    """Return `/api/help` in HTML.

    Args:
        api: What to describe.
        facts: The server's name and version.
        up: Relative path from the page's URL to the root of the API: `../` or empty.
    """
    from html import escape  # noqa: PLC0415 - loads 2,000 entities that only this page needs

    rows = "".join(
        f"<tr><td>{escape(_verb(route.methods))}<td><code>{escape(route.path)}{escape(_query(route.doc))}</code>"
        f"<td>{escape(route.doc.summary)}\n"
        for route in api.routes
    )
    names = sorted(data_type.name for data_type in api.data_types())
    types = "".join(f"<li><a href={up}help/{name}>{name}</a>" for name in names)
    return _HELP_PAGE.format(
        host=escape(facts.host), version=escape(facts.version), rows=rows, types=types, up=up
    )


def type_help(api: Api, type_name: str) -> str:
    """Return `/api/help/{type}` in plain text.

    Raises:
        RequestError: The data type is unknown.
    """
    family = api.family_of(type_name)
    if family is None:
        raise RequestError(f"Data type {quote(type_name)} is not supported by current DVID server")
    sections = (_section(name, endpoint.doc) for name, endpoint in family.endpoints.items())
    return "\n".join((family.introduce(type_name), *sections))


def interface(api: Api, version: str) -> str:
    """Return `/interface`: the same table in RAML 0.8."""
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
        yield from _wrapped(f"{name:<14}{parameter.meaning} (example: {parameter.example})", " " * 14)


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
<p>{version} serves Neuroglancer precomputed volumes, zarr and N5 through DVID's HTTP API. It is read-only.
This table is also available as an OpenAPI document: <a href={up}openapi.json>openapi.json</a>.
<p>{{uuid}} is the version's UUID, any prefix of it, or <code>:master</code>.
{{data}} is the name of a data instance.
<table>
{rows}</table>
<p>Endpoints below <code>/api/node/{{uuid}}/{{data}}/</code>, by data type:
<ul>{types}</ul></html>
"""
