"""The documents that describe the repo and its version, compared with those of a real DVID."""

import json

import pytest

from dvidpc.data.repo import Repo
from dvidpc.dvid.documents import repo_documents
from dvidpc.formats.dvid.go_json import JsonValue, encode
from tests.dvid.recorded import BODIES, ROOT, differing, shape


def test_the_info_of_the_repo_has_dvids_keys_and_values(repo: Repo) -> None:
    recorded = BODIES[f"/api/repo/{ROOT}/info"]
    assert shape(encode(repo_documents.repo_info(repo))) == shape(recorded)
    assert differing(repo_documents.repo_info(repo), recorded) == {
        "Log",
        "DataUUID",
        "KVStore",
        "LogStore",
        "MaxPoint",
        "MaxIndex",
        "Locked",
        "MutationID",
        "SavedMutationID",
        "Created",
        "Updated",
    }


def test_repos_info_holds_the_one_repo(repo: Repo) -> None:
    text = encode(repo_documents.repos_info(repo))
    assert shape(text) == shape(BODIES["/api/repos/info"])
    assert text == b'{"%b":%b}' % (ROOT.encode(), encode(repo_documents.repo_info(repo)))


def test_the_repo_log_has_a_line_for_each_instance_in_dvids_words(repo: Repo) -> None:
    ours = json.loads(encode(repo_documents.repo_log(repo)))["log"]
    recorded = json.loads(BODIES[f"/api/repo/{ROOT}/log"])["log"]
    assert [line[20:] for line in ours] == [line[20:] for line in recorded]
    assert {line[:20] for line in ours} == {"2026-11-22T13:19:00Z"}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        (f"/api/node/{ROOT}/note", repo_documents.node_note()),
        (f"/api/node/{ROOT}/log", repo_documents.node_log()),
    ],
)
def test_note_and_log_of_the_version_are_dvids_to_the_byte(path: str, document: JsonValue) -> None:
    assert encode(document).decode() == BODIES[path]


def test_branch_versions_are_dvids_to_the_byte(repo: Repo) -> None:
    for name in ("master", "nope"):
        recorded = BODIES[f"/api/repo/{ROOT}/branch-versions/{name}"]
        assert encode(repo.branch_versions(name)).decode() == recorded


@pytest.mark.parametrize("action", ["status", "commit"])
def test_the_version_is_locked(action: str) -> None:
    assert shape(encode(repo_documents.node_status())) == shape(BODIES[f"/api/node/{ROOT}/{action}"])
    assert repo_documents.node_status() == {"Locked": True}
