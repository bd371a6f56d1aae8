"""The endpoints about the members of objects: `fields`, `fieldtimes`, and the schemas, which do not exist."""

from collections import Counter

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.neuronjson import NeuronjsonData
from dvidpc.dvid.documents.framing import json_answer
from dvidpc.dvid.table import TEXT
from dvidpc.formats.dvid.go_json import sorted_map


async def fields(request: web.Request, instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `fields`: their names; with `counts=true`, how many objects have each."""
    annotations = await instance.data.source.load()
    if request.query.get("counts") != "true":
        return json_answer(annotations.fields)

    def count() -> dict[str, int]:
        counts: Counter[str] = Counter()
        for _, found in annotations.objects():
            counts.update(found.keys())
        return sorted_map(counts)

    return json_answer(await instance.data.in_pool(count))


async def fieldtimes(_request: web.Request, _instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `fieldtimes`: when fields were last set, which nothing records here."""
    return json_answer({})


async def schema(_request: web.Request, _instance: Instance[NeuronjsonData]) -> web.StreamResponse:
    """Answer `schema`, `json_schema` and `schema_batch`: there is none."""
    return web.Response(status=404, content_type=TEXT)
