"""`Repo` resolves every form of UUID that DVID accepts, and refuses others in DVID's words."""

from dataclasses import replace

import pytest

from dvidpc.data.repo import Repo, derive_data_uuid, derive_repo_uuid
from dvidpc.errors import ConfigError, RequestError
from tests.opened import GRAY, IMAGE
from tests.serving import UUID


@pytest.fixture
def repo() -> Repo:
    repo = Repo(UUID, "em", "EM volumes", created=1795353464.25)
    repo.add([GRAY, replace(GRAY, name="gray_1", data=replace(IMAGE, scale_level=1))])
    return repo


@pytest.mark.parametrize(
    "spec",
    [
        UUID,
        UUID[:31],
        "2884",
        "2",
        ":master",
        ":",
        f"{UUID}:master",
        "2884:master",
        "2884:",
        ":master~0",
        ":~0",
        "2884:master~0",
        "2884:~0",
        ":master~+0",
        ":master~-0",
        ":master~000",
    ],
)
def test_the_version_is_found_by(repo: Repo, spec: str) -> None:
    repo.resolve(spec)
    assert repo.instance(spec, "gray") is GRAY


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("zzz", "could not find UUID with partial match to zzz"),
        ("master", "could not find UUID with partial match to master"),
        ("28841C", "could not find UUID with partial match to 28841C"),
        (f"{UUID}0", f"could not find UUID with partial match to {UUID}0"),
        ("2884~0", "could not find UUID with partial match to 2884~0"),
        ("zzz:master", "could not find UUID with partial match to zzz"),
        ("a:b:c", 'bad UUID specification "a:b:c"'),
        ("::", 'bad UUID specification "::"'),
        (f'{UUID}::"', f'bad UUID specification "{UUID}::\\""'),
        ("2884:foo", f'branch "foo" not found in repo "{UUID}"'),
        (f"{UUID}:nobranch", f'branch "nobranch" not found in repo "{UUID}"'),
        ("2884:Master", f'branch "Master" not found in repo "{UUID}"'),
        (":foo", 'branch "foo" not found in repo ""'),
        (":master~0~0", 'branch "master~0~0" not found in repo ""'),
        ("2884:master~1", 'parent 1 is out of range for branch "master"'),
        ("2884:~1", 'parent 1 is out of range for branch ""'),
        ("2884:foo~0", 'parent 0 is out of range for branch "foo"'),
        ("2884:master~-1", 'parent -1 is out of range for branch "master"'),
        ("2884:master~x", 'can\'t parse parent "x" in branch "master"'),
        ("2884:master~", 'can\'t parse parent "" in branch "master"'),
        ("2884:master~1_0", 'can\'t parse parent "1_0" in branch "master"'),
        ("2884:master~ 0", 'can\'t parse parent " 0" in branch "master"'),
        ("2884:master~\u0660", 'can\'t parse parent "\u0660" in branch "master"'),
        (f"2884:master~{2**63}", f'can\'t parse parent "{2**63}" in branch "master"'),
        (f":master~{'9' * 5000}", f'can\'t parse parent "{"9" * 5000}" in branch "master"'),
    ],
)
def test_errors_are_in_dvids_words(repo: Repo, spec: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        repo.instance(spec, "gray")
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["nope", "", "Gray", "gray_2", "gray/"])
def test_an_unknown_name_is_refused(repo: Repo, name: str) -> None:
    with pytest.raises(RequestError, match=r"^invalid data instance name$"):
        repo.instance(UUID, name)


def test_an_unknown_version_is_reported_before_an_unknown_name(repo: Repo) -> None:
    with pytest.raises(RequestError, match="partial match to zzz"):
        repo.instance("zzz", "nope")


def test_instances_keep_their_order_and_later_ones_follow(repo: Repo) -> None:
    repo.add([replace(GRAY, name="a"), replace(GRAY, name="a_1")])
    assert list(repo.instances) == ["gray", "gray_1", "a", "a_1"]
    assert repo.instance("2", "a").name == "a"


def test_a_name_that_is_taken_refuses_the_whole_addition(repo: Repo) -> None:
    with pytest.raises(ConfigError) as caught:
        repo.add([replace(GRAY, name="b"), replace(GRAY, name="gray_1", store_alias="other")])
    assert str(caught.value) == 'data instance "gray_1" of store "other" is already served by store "em"'
    with pytest.raises(ConfigError):
        repo.add([replace(GRAY, name="b"), replace(GRAY, name="b")])
    assert list(repo.instances) == ["gray", "gray_1"]


@pytest.mark.parametrize(
    ("branch", "versions"), [("master", [UUID]), ("", [UUID]), ("nope", []), ("Master", [])]
)
def test_a_branch_has_the_one_version_or_none(repo: Repo, branch: str, versions: list[str]) -> None:
    assert repo.branch_versions(branch) == versions


def test_a_repo_uuid_is_32_stable_hex_digits() -> None:
    uuid = derive_repo_uuid("gs://bucket/em/")
    assert uuid == "8db2c5f6eb1550d780759037800f4832"
    assert uuid == derive_repo_uuid("gs://bucket/em") == derive_repo_uuid("gs://bucket/em//")
    assert uuid != derive_repo_uuid("gs://bucket/em2")


def test_a_data_uuid_depends_on_repo_and_name() -> None:
    uuids = {derive_data_uuid(uuid, name) for uuid in (UUID, "b" * 32) for name in ("gray", "gray_1")}
    assert len(uuids) == 4
    assert derive_data_uuid(UUID, "gray") == "6289079e5ceb5541ac5ae6c14926aa8f"


def test_instances_are_in_the_order_of_the_stores_whichever_was_opened_first() -> None:
    made = Repo(UUID, "em", "EM volumes", created=0)
    other = replace(GRAY, name="other", store_alias="other")
    for instance in (other, GRAY, replace(other, name="other_1")):
        made.put(instance.store_alias, [instance], order=[GRAY.store_alias, "other"])
    assert list(made.instances) == ["gray", "other_1"]
