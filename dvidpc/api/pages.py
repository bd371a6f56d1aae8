"""The pages for people: the front page and DVID's help, in our own words."""

from html import escape
from urllib.parse import quote as quote_url

from dvidpc.api.documents import ServerFacts
from dvidpc.errors import RequestError
from dvidpc.formats.dvidjson import quote
from dvidpc.volume.repo import VOXEL_TYPES, Instance, Repo


def front_page(repo: Repo, facts: ServerFacts) -> str:
    """`/`, in HTML: what is served here, for a person who looks; clients only ask whether it is there."""
    rows = "".join(_front_page_row(repo.uuid, instance) for instance in repo.instances.values())
    title = escape(repo.alias or facts.host)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>\n"
        f"<p>{escape(repo.description)}<p>{escape(facts.note)}\n"
        f"<p>Version <code>{escape(repo.uuid)}</code>, read only. <a href=api/help>API help</a>\n"
        f"<table><tr><th>Data<th>Type<th>Size (voxels)<th>Voxel size (nm)\n{rows}</table></html>\n"
    )


def help_page(facts: ServerFacts, type_path: str) -> str:
    """`/api/help`, in HTML; *type_path* leads from its address to the types' help."""
    links = "".join(f"<li><a href={type_path}{name}>{name}</a>" for name in VOXEL_TYPES)
    return _HELP_PAGE.format(host=escape(facts.host), version=escape(facts.version), links=links)


def type_help(type_name: str) -> str:
    """`/api/help/{type}`, in plain text.

    Raises:
        RequestError: There is no such type.
    """
    voxel_type = VOXEL_TYPES.get(type_name)
    if voxel_type is None:
        raise RequestError(f"Data type {quote(type_name)} is not supported by current DVID server")
    values = ", ".join(voxel_type.labels)
    return _TYPE_HELP.format(type_name=type_name, data_type=voxel_type.data_type, values=values)


def _front_page_row(repo_uuid: str, instance: Instance) -> str:
    first, last = instance.min_point, instance.max_point
    size = " x ".join(str(stop - start + 1) for start, stop in zip(first, last, strict=True))
    voxel_size = " x ".join(f"{edge:g}" for edge in instance.voxel_size)
    address = f"api/node/{quote_url(repo_uuid, safe='')}/{quote_url(instance.name, safe='')}/info"
    return (
        f'<tr><td><a href="{address}">{escape(instance.name)}</a>'
        f"<td>{instance.voxel_type.type_name}<td>{size}<td>{voxel_size}\n"
    )


_HELP_PAGE = """\
<!doctype html><html lang=en><meta charset=utf-8><title>DVID API of {host}</title>
<h1>DVID API of {host}</h1>
<p>dvidpc {version} serves Neuroglancer precomputed volumes read-only, by DVID's HTTP API.
<p>{{uuid}} is the version's UUID, any prefix of it, or <code>:master</code>; {{data}} is a data instance.
<h2>Server</h2><pre>
GET  /api/help, /api/help/{{type}}        this page; what instances of a type answer
GET  /api/server/info                   versions, cores, uptime
GET  /api/server/note                   what its operator has to say
GET  /api/server/types                  types of the data served
GET  /api/server/compiled-types         types that can be served
GET  /api/load                          reads and requests under way
GET  /api/heartbeat[?u=name]            OK; with a name, the time it took is kept
GET  /api/user-latencies[?u=name]       those times, in milliseconds
</pre><h2>Repo and version</h2><pre>
GET  /api/repos/info                    everything there is to know
HEAD /api/repo/{{uuid}}                   200 if there is such a repo
GET  /api/repo/{{uuid}}/info, /log
GET  /api/repo/{{uuid}}/branch-versions/master
GET  /api/node/{{uuid}}/note, /log, /status, /commit
</pre><h2>Data</h2><pre>
GET  /api/node/{{uuid}}/{{data}}/help       what it answers, by type:
</pre><ul>{links}</ul></html>
"""

_TYPE_HELP = """\
{type_name}: images and volumes of {data_type} voxels ({values}), read-only

Coordinates are voxels of the whole volume along x, y and z. A block is a cube of BlockSize voxels
(see info); block coordinates are voxel coordinates divided by it. Numbers are little-endian.

GET /api/node/<UUID>/<data name>/help

    This text.

GET /api/node/<UUID>/<data name>/info

    JSON: type, compression, block size, voxel size, and extents; MaxPoint is the last voxel.

GET /api/node/<UUID>/<data name>/metadata

    JSON (application/vnd.dvid-nd-data+json): the axes and what a voxel is made of.

GET /api/node/<UUID>/<data name>/specificblocks?blocks=x,y,z,x,y,z...

    The blocks at these block coordinates, in the order asked for. Each is preceded by four int32: x, y,
    z and the number of bytes that follow. Blocks that are not stored are left out.

    compression   "jpeg" or "uncompressed"; by default as Compression in info says.
    prefetch      "on" or "true": nothing is sent, the blocks are made ready.

GET /api/node/<UUID>/<data name>/subvolblocks/<size>/<offset>

    The same for all blocks of a box; size and offset are multiples of the block size: 64_64_64/0_0_0.

    compression   As above.

GET /api/node/<UUID>/<data name>/blocks/<block coordinate>/<span>

    The voxels of span blocks along x, uncompressed, zeros where nothing is stored: blocks/10_20_30/8.

GET /api/node/<UUID>/<data name>/raw/<dims>/<size>/<offset>[/<format>]
GET /api/node/<UUID>/<data name>/isotropic/<dims>/<size>/<offset>[/<format>]

    A slice as an image (raw/xy/512_256/0_0_100/jpg:80) or a box of voxels, x fastest
    (raw/0_1_2/100_100_50/0_0_0). isotropic scales a slice so that its pixels are square.

    dims          Axes in the form 0_1, or xy, xz, yz; 0_1_2 for a box.
    format        For a slice png (default) or jpg, with its quality as in jpg:80.

GET /api/node/<UUID>/<data name>/arb/<top left>/<top right>/<bottom left>/<resolution>[/<format>]

    A slice at any angle, of square pixels of <resolution> nm; the corners are in nm: 10.5_20_30.
"""
