"""The block list refuses the users and addresses that its file names, in DVID's words."""

from pathlib import Path

import pytest

from dvidpc.errors import ConfigError
from dvidpc.http.block_list import BlockList


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "blocked"


@pytest.mark.parametrize(
    ("query", "address", "text"),
    [
        ({"u": "bob"}, "10.1.2.3", 'User "bob" is blocked: too many, far too many\n'),
        ({"u": "eve"}, "10.1.2.3", 'User "eve" is blocked: \n'),
        ({"u": "ann"}, "192.168.7.1", 'IP "192.168.7.1" is blocked: lab\n'),
        ({}, "192.168.70.1", None),
        ({"u": "Bob"}, "10.1.2.3", None),
        ({"u": ""}, "", None),
        ({}, "10.1.2.3", None),
    ],
)
def test_users_are_refused_by_name_and_addresses_by_pattern(
    file: Path, query: dict[str, str], address: str, text: str | None
) -> None:
    file.write_text("u=bob,too many, far too many\n\nu=eve\n  \nip=192.168.7.*,lab\n")
    assert BlockList(file).refusal(query, address) == text


def test_without_a_file_nobody_is_refused_and_reload_does_nothing() -> None:
    block_list = BlockList(None)
    block_list.reload()
    assert block_list.refusal({"u": "bob"}, "10.1.2.3") is None


def test_reload_replaces_the_entries(file: Path) -> None:
    file.write_text("u=bob\n")
    block_list = BlockList(file)
    file.write_text("u=ann\n")
    block_list.reload()
    assert block_list.refusal({"u": "bob"}, "") is None
    assert block_list.refusal({"u": "ann"}, "") is not None


@pytest.mark.parametrize("text", [None, "bob\n"])
def test_a_failed_reload_keeps_the_previous_entries(file: Path, text: str | None) -> None:
    file.write_text("u=bob\n")
    block_list = BlockList(file)
    file.unlink()
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError):
        block_list.reload()
    assert block_list.refusal({"u": "bob"}, "") is not None


@pytest.mark.parametrize("text", [None, "bob\n", "x=1\n", "ip\n"])
def test_a_list_that_cannot_be_used_stops_the_start(file: Path, text: str | None) -> None:
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=r"blockListFile .*blocked"):
        BlockList(file)


def test_a_list_that_is_not_text_stops_the_start(file: Path) -> None:
    file.write_bytes(b"u=\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"blockListFile .*blocked"):
        BlockList(file)
