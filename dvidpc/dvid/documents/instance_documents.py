"""Documents that describe one data instance: its `info`, and its line in the log of the repo.

Keys, their order and the types of their values are DVID's. Where a number differs, DVID's is wrong.
(datastore/datainstance.go:512-569 and datatype/imageblk, 3400c2cb)
"""

from dvidpc.data.instance import Data, Instance, Synced
from dvidpc.formats.dvid.go_json import JsonValue, quote, sorted_map


def instance_info(repo_uuid: str, instance: Instance[Data]) -> dict[str, JsonValue]:
    """Return `/api/node/{uuid}/{data}/info`."""
    data = instance.data
    return {
        "Base": {
            "TypeName": data.data_type.name,
            "TypeURL": data.data_type.url,
            "TypeVersion": data.data_type.version,
            "DataUUID": instance.data_uuid,
            "Name": instance.name,
            "RepoUUID": repo_uuid,
            "Compression": data.compression,
            "Checksum": "No checksum",
            "Syncs": list(data.syncs) if isinstance(data, Synced) else [],
            "Versioned": True,
            "KVStore": f"{instance.format_title} store [{data.kind}] @ {instance.store_url}",
            "LogStore": "no mutation log set",
            # DVID writes null until its next start and {} from then on; no known client reads it.
            "Tags": tags_of(data),
        },
        **data.members(instance.store_alias),
    }


def tags_of(data: Data) -> JsonValue:
    """Return `Base.Tags`: texts by name; null for a type that has none."""
    return sorted_map(data.tags) if isinstance(data, Synced) else None


def created_message(instance: Instance[Data]) -> str:
    """Return the text of the log line that DVID writes when it creates an instance."""
    config = instance.data.creation(instance.store_alias)
    type_name = quote(instance.data.data_type.name)
    return f"New data instance {quote(instance.name)} of type {type_name} with config {{map[{config}]}}"
