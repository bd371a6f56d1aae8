"""What DVID's metadata endpoints say: plain values ready to be encoded.

Keys, their order and the types of their values are DVID's; where a number differs, DVID's is wrong.
(datastore/repo_local.go:2750-2779, datastore/datainstance.go:512-569 and datatype/imageblk, 3400c2cb)
"""

from dataclasses import dataclass

from dvidpc.data.repo import VOXEL_TYPES, Instance, Repo, VoxelType
from dvidpc.formats.dvid.go_json import (
    JsonValue,
    format_duration,
    format_go_time,
    format_time,
    quote,
    sorted_map,
)

_DATASTORE_VERSION = "0.11.0"
"""Of the DVID whose answers these are."""

_VERSION_ID = 1
_MUTATION_ID = 1_000_000_000
_MUTATION_IDS_RESERVED = 100
_NANOMETERS = ["nanometers"] * 3


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What `/api/server/info` and the help pages say of this server."""

    host: str
    """Name and port by which people reach it: `myserver:8000`."""
    note: str
    rpc_address: str
    cores: int
    """How many it uses."""
    maximum_cores: int
    """How many the machine has."""
    max_open_files: int
    version: str
    started: float
    """Seconds since the epoch."""
    toml_location: str
    """As it was given on the command line."""
    mode: str = ""
    """`read only`, if the configuration asked for it by `rwmode`; else "", and the key is left out."""


@dataclass(frozen=True, slots=True)
class LoadCounters:
    """What `/api/load` says; rates are those of the last whole second."""

    get_requests: int = 0
    """Reads from buckets, each second."""
    bytes_read: int = 0
    """From buckets, each second."""
    tasks: int = 0
    """How many asyncio tasks there are, where DVID counts goroutines."""
    handlers_active: int = 0
    """Requests in flight, in percent of their limit."""


def server_info(facts: ServerFacts, now: float) -> dict[str, JsonValue]:
    """`/api/server/info`, all of it strings; *now* is in seconds since the epoch."""
    info = {
        "Cores": str(facts.cores),
        "DVID Version": facts.version,
        "Datastore Version": _DATASTORE_VERSION,
        "Host": facts.host,
        "Max Open Files": str(facts.max_open_files),
        "Maximum Cores": str(facts.maximum_cores),
        "Note": facts.note,
        "RPC Address": facts.rpc_address,
        "Server time": format_go_time(now),
        "Server uptime": format_duration(max(0.0, now - facts.started)),
        "Storage backend": "ngprecomputed",
        "TOML location": facts.toml_location,
    }
    return sorted_map(info | ({"Mode": facts.mode} if facts.mode else {}))


def load(counters: LoadCounters) -> dict[str, JsonValue]:
    """`/api/load`: what this server has no counterpart of is 0."""
    return {
        "GET requests": counters.get_requests,
        "PUT requests": 0,
        "active CGo writes": 0,
        "file bytes read": 0,
        "file bytes written": 0,
        "goroutines": counters.tasks,
        "handlers active": counters.handlers_active,
        "key bytes read": 0,
        "key bytes written": 0,
        "pending log messages": 0,
        "value bytes read": counters.bytes_read,
        "value bytes written": 0,
    }


def groupcache() -> dict[str, JsonValue]:
    """`/api/server/groupcache`: all zeros, as from a DVID that does not use it."""
    cache = dict.fromkeys(("Bytes", "Items", "Gets", "Hits", "Evictions"), 0)
    counts = (
        "Gets",
        "CacheHits",
        "PeerLoads",
        "PeerErrors",
        "Loads",
        "LoadsDeduped",
        "LocalLoads",
        "LocalLoadErrs",
        "ServerRequests",
    )
    return {**dict.fromkeys(counts, 0), "MainCache": cache, "HotCache": cache}


def types(repo: Repo) -> dict[str, JsonValue]:
    """`/api/server/types`: the types that instances have."""
    used = {instance.voxel_type.type_name: instance.voxel_type for instance in repo.instances.values()}
    return sorted_map({name: _type_url(voxel_type) for name, voxel_type in used.items()})


def compiled_types() -> dict[str, JsonValue]:
    """`/api/server/compiled-types`: the types that instances can have."""
    return {name: _type_url(voxel_type) for name, voxel_type in VOXEL_TYPES.items()}


def repos_info(repo: Repo) -> dict[str, JsonValue]:
    """`/api/repos/info`."""
    return {repo.uuid: repo_info(repo)}


def repo_info(repo: Repo) -> dict[str, JsonValue]:
    """`/api/repo/{uuid}/info`."""
    created = format_time(repo.created)
    return {
        "Root": repo.uuid,
        "Alias": repo.alias,
        "Description": repo.description,
        "Log": _log(repo),
        "Properties": {},
        "DataInstances": sorted_map(
            {name: instance_info(repo.uuid, instance) for name, instance in repo.instances.items()}
        ),
        "DAG": {"Root": repo.uuid, "Nodes": {repo.uuid: _node(repo)}},
        "MutationID": _MUTATION_ID,
        "SavedMutationID": _MUTATION_ID + _MUTATION_IDS_RESERVED,
        "Created": created,
        "Updated": created,
    }


def repo_log(repo: Repo) -> dict[str, JsonValue]:
    """`/api/repo/{uuid}/log`: how each instance came to be, in DVID's words."""
    return {"log": _log(repo)}


def node_log() -> dict[str, JsonValue]:
    """`/api/node/{uuid}/log`: nothing ever happens to the version."""
    return {"log": []}


def node_note() -> dict[str, JsonValue]:
    """`/api/node/{uuid}/note`: nobody can write one."""
    return {"note": ""}


def node_status() -> dict[str, JsonValue]:
    """`/api/node/{uuid}/status` and `/commit`: locked, which is what makes NeuTu read only."""
    return {"Locked": True}


def instance_info(repo_uuid: str, instance: Instance) -> dict[str, JsonValue]:
    """`/api/node/{uuid}/{data}/info`."""
    return {
        "Base": {
            "TypeName": instance.voxel_type.type_name,
            "TypeURL": _type_url(instance.voxel_type),
            "TypeVersion": instance.voxel_type.version,
            "DataUUID": instance.data_uuid,
            "Name": instance.name,
            "RepoUUID": repo_uuid,
            "Compression": instance.compression,
            "Checksum": "No checksum",
            "Syncs": [],
            "Versioned": True,
            "KVStore": f"neuroglancer precomputed store [image] @ {instance.store_url}",
            "LogStore": "no mutation log set",
            # DVID says null until its next start and {} from then on; no known client reads it.
            "Tags": None,
        },
        "Extended": _extended(instance),
        "Extents": {"MinPoint": instance.min_point, "MaxPoint": instance.max_point},
    }


def instance_metadata(instance: Instance) -> dict[str, JsonValue]:
    """`/api/node/{uuid}/{data}/metadata`; `Size` is the true one, where DVID's is one too high."""
    axes = zip("XYZ", instance.voxel_size, instance.min_point, instance.max_point, strict=True)
    return {
        "Axes": [
            {
                "Label": label,
                "Resolution": resolution_nm,
                "Units": "nanometers",
                "Size": last - first + 1,
                "Offset": first,
            }
            for label, resolution_nm, first, last in axes
        ],
        "Properties": _extended(instance),
    }


def _extended(instance: Instance) -> dict[str, JsonValue]:
    voxel_type = instance.voxel_type
    return {
        "Values": [{"DataType": voxel_type.data_type, "Label": label} for label in voxel_type.labels],
        "Interpolable": True,
        "BlockSize": [instance.block_size] * 3,
        "VoxelSize": instance.voxel_size,
        "VoxelUnits": _NANOMETERS,
        "MinPoint": instance.min_point,
        "MaxPoint": instance.max_point,
        "MinIndex": instance.min_index,
        "MaxIndex": instance.max_index,
        "Background": 0,
        "GridStore": instance.store_alias,
        "ScaleLevel": instance.scale_level,
    }


def _node(repo: Repo) -> dict[str, JsonValue]:
    created = format_time(repo.created)
    return {
        "Branch": "",
        "Note": "",
        "Log": [],
        "UUID": repo.uuid,
        "VersionID": _VERSION_ID,
        "Locked": True,
        "Parents": [],
        "Children": [],
        "Created": created,
        "Updated": created,
    }


def _log(repo: Repo) -> list[str]:
    time = format_time(int(repo.created))
    return [f"{time}  {_created_message(instance)}" for instance in repo.instances.values()]


def _created_message(instance: Instance) -> str:
    compression = "jpeg" if instance.compression.startswith("jpeg") else "none"
    config = (
        f"compression:{compression} gridstore:{instance.store_alias} "
        f"scalelevel:{instance.scale_level} versioned:true"
    )
    type_name = quote(instance.voxel_type.type_name)
    return f"New data instance {quote(instance.name)} of type {type_name} with config {{map[{config}]}}"


def _type_url(voxel_type: VoxelType) -> str:
    return f"github.com/janelia-flyem/dvid/datatype/imageblk/{voxel_type.source_file}.go"
