"""Documents that describe the repo and its one version, as values ready to be encoded.

Keys, their order and the types of their values are DVID's.  (datastore/repo_local.go:2750-2779, 3400c2cb)
"""

from collections.abc import Mapping

from dvidpc.data.instance import Data, Instance
from dvidpc.data.repo import Repo
from dvidpc.dvid.documents.instance_documents import created_message, instance_info
from dvidpc.formats.dvid.go_json import JsonValue, format_time, sorted_map

_VERSION_ID = 1
_MUTATION_ID = 1_000_000_000
_MUTATION_IDS_RESERVED = 100


def repos_info(repo: Repo, instances: Mapping[str, Instance[Data]] | None = None) -> dict[str, JsonValue]:
    """Return `/api/repos/info`: the one repo, by its UUID, with *instances* of it; None: with all."""
    return {repo.uuid: repo_info(repo, instances)}


def repo_info(repo: Repo, instances: Mapping[str, Instance[Data]] | None = None) -> dict[str, JsonValue]:
    """Return `/api/repo/{uuid}/info`, with *instances* of the repo; None: with all."""
    if instances is None:
        instances = repo.instances
    created = format_time(repo.created)
    return {
        "Root": repo.uuid,
        "Alias": repo.alias,
        "Description": repo.description,
        "Log": _log(repo, instances),
        "Properties": {},
        "DataInstances": sorted_map(
            {name: instance_info(repo.uuid, instance) for name, instance in instances.items()}
        ),
        "DAG": {"Root": repo.uuid, "Nodes": {repo.uuid: _node(repo)}},
        "MutationID": _MUTATION_ID,
        "SavedMutationID": _MUTATION_ID + _MUTATION_IDS_RESERVED,
        "Created": created,
        "Updated": created,
    }


def repo_log(repo: Repo) -> dict[str, JsonValue]:
    """Return `/api/repo/{uuid}/log`: a line for each instance, in DVID's words."""
    return {"log": _log(repo, repo.instances)}


def node_log() -> dict[str, JsonValue]:
    """Return `/api/node/{uuid}/log`: empty, because the version never changes."""
    return {"log": []}


def node_note() -> dict[str, JsonValue]:
    """Return `/api/node/{uuid}/note`: empty, because nobody can write a note."""
    return {"note": ""}


def node_status() -> dict[str, JsonValue]:
    """Return `/api/node/{uuid}/status` and `/commit`: locked, which makes NeuTu open it read-only."""
    return {"Locked": True}


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


def _log(repo: Repo, instances: Mapping[str, Instance[Data]]) -> list[str]:
    time = format_time(int(repo.created))
    return [f"{time}  {created_message(instance)}" for instance in instances.values()]
