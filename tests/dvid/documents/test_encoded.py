"""Encoded documents are cached until the instances change."""

from dataclasses import replace

from dvidpc.data.repo import Repo
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.instance_documents import instance_info
from dvidpc.dvid.documents.repo_documents import repo_info, repos_info
from dvidpc.formats.dvid.go_json import encode
from tests.dvid.recorded import ROOT, VOLUMES, make_instance


def test_documents_are_encoded_once_and_again_after_an_instance_is_added(repo: Repo) -> None:
    encoded = EncodedDocuments(repo)
    before = encoded.repo_info()
    assert encoded.repo_info() is before
    assert before.body == encode(repo_info(repo))
    late = replace(make_instance(VOLUMES[0]), name="late")
    repo.add([late])
    assert encoded.repo_info().body == encode(repo_info(repo))
    assert encoded.repos_info().body == encode(repos_info(repo))
    assert encoded.instance_info(late) is encoded.instance_info(late)
    assert encoded.instance_info(late).body == encode(instance_info(ROOT, late))
