"""Select, encode and join the objects of annotations, for all endpoints that return some."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from dvidpc.data.instance import Instance
from dvidpc.data.neuronjson import NeuronjsonData
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import JSON
from dvidpc.dvid.url.numbers import parse_uint64
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.formats.precomputed.segment_properties import BODY_ID

Object = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class View:
    """What a request wants to see of objects: all fields, or some of them and the id.

    `show`, which in DVID adds who set a field and when, has no effect: nobody set it here.
    """

    fields: frozenset[str]
    """Empty: all."""

    def encode(self, found: Object) -> bytes:
        """Return an object as JSON."""
        if not self.fields:
            return encode(found)
        return encode({name: found[name] for name in found if name in self.fields or name == BODY_ID})

    def is_empty(self, found: Object) -> bool:
        """Return whether an object has none of the fields that were asked for."""
        return bool(self.fields) and self.fields.isdisjoint(found)


def view_of(request: web.Request) -> View:
    """Return the view that `fields=a,b` asks for."""
    return View(frozenset(filter(None, request.query.get("fields", "").split(","))))


def parse_id(text: str) -> int:
    """Return the body that a key names, in Go's words if it names none."""
    return parse_uint64(text)


def parse_bound(text: str) -> int:
    """Return the body at one end of a range of keys.

    A key that starts with a character after 9, such as `zzz`, lies after all bodies; one that starts with a
    character before 0 lies before them.  (neuronjson.go:662, parseKeyStr, 3400c2cb)

    Raises:
        RequestError: It starts with a digit and is no number, or exceeds 64 bits.
    """
    if text[:1] > "9":
        return 2**64 - 1
    return 0 if text[:1] < "0" else parse_uint64(text)


async def answer_list(
    request: web.Request, instance: Instance[NeuronjsonData], make: Callable[[], Iterable[bytes]]
) -> web.Response:
    """Answer with a JSON list; *make*, which runs in a thread, yields its elements.

    Raises:
        TooLargeError: The list exceeds `max_response`.
    """
    most = request.app[SERVICES].limits.max_response

    def join() -> bytes:
        parts = []
        size = 2
        for part in make():
            parts.append(part)
            size += len(part) + 1
            check_size(size, most)
        return b"[" + b",".join(parts) + b"]"

    return web.Response(body=await instance.data.in_pool(join), content_type=JSON)
