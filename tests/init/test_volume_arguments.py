"""What a command line names: which place, under which name, or why it is nothing."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.config import Address, parse_config
from dvidpc.errors import ConfigError
from dvidpc.init.config_text import bare_text
from dvidpc.init.volume_arguments import (
    NamedVolume,
    derive_name,
    is_config_file,
    name_volumes,
    parse_argument,
)
from dvidpc.storage.ref import Kind, parse_ref

NAMES = [
    ("s3://bucket/sample1/image_aligned/", "image_aligned"),
    ("gs://bucket", "bucket"),
    ("https://host.example/", "host.example"),
    ("https://host.example/a%20b/c%2Fd", "c_d"),
    ("precomputed://gs://bucket/em/info", "em"),
    ("file:///data/my volume (2)", "my_volume_(2)"),
    ("s3://bucket/em/log", "bucket"),
    ("file:///log", "volume"),
    ("file:///", "volume"),
]


@pytest.mark.parametrize(("ref", "name"), NAMES)
def test_a_volume_is_named_after_the_last_part_of_its_place(ref: str, name: str) -> None:
    assert derive_name(parse_ref(ref)) == name


def test_names_are_distinct_and_given_in_order() -> None:
    arguments = [f"s3://bucket/{directory}/em" for directory in "abcd"]
    named = name_volumes(arguments, ["first", "em"], anonymous=True)
    assert [one.instance for one in named] == ["first", "em", "em-2", "em-3"]
    assert all(one.anonymous for one in named)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "log", "ü?"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="--name"):
        name_volumes(["s3://bucket/em"], [name], anonymous=False)


def test_more_names_than_volumes_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 times for 1 volumes"):
        name_volumes(["s3://bucket/em"], ["a", "b"], anonymous=False)


@pytest.mark.parametrize("shape", ["{}", "{}/", "{}/info", "file://{}", "{}/../em"])
def test_a_directory_is_named_in_many_ways(tmp_path: Path, shape: str) -> None:
    directory = tmp_path / "em"
    directory.mkdir()
    (directory / "info").write_text("{}")
    ref = parse_argument(shape.format(directory))
    assert (ref.kind, ref.prefix.rstrip("/")) == (Kind.FILE, str(directory))


@pytest.mark.parametrize("name", ["a b", "100%", "x|y", "#1", "é", "info", "s3:", "ü?*"])
def test_a_relative_path_may_hold_anything(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    for argument in (name, f"./{name}/", f"{tmp_path}/{name}"):
        ref = parse_argument(argument)
        assert Path(ref.prefix) == tmp_path / name


def test_a_path_that_is_not_utf_8_is_a_place(tmp_path: Path) -> None:
    directory = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    Path(directory).mkdir()
    [volume] = name_volumes([directory], [], anonymous=False)
    config = parse_config(bare_text([volume], Address("localhost", 0), is_open=False), "command line")
    assert config.stores[0].ref.prefix.startswith(f"{tmp_path}/caf")


@pytest.mark.parametrize(
    "argument", ["", "nowhere", "/nowhere/at/all", "bucket/volume", "a\0b", "~nobody-here/x"]
)
def test_what_names_nothing_is_refused_in_one_line(argument: str) -> None:
    with pytest.raises(ConfigError, match="no such file or directory; name ") as caught:
        parse_argument(argument)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("argument", ["ftp://host/x", "s3://", "https://me:secret@host/x", "zarr://s3:/x"])
def test_a_url_that_is_none_is_refused_with_the_reason(argument: str) -> None:
    with pytest.raises(ConfigError, match="^" + argument.partition(":")[0]) as caught:
        parse_argument(argument)
    assert "\n" not in str(caught.value)


def test_which_arguments_are_configuration_files(tmp_path: Path) -> None:
    for name in ("config.toml", "dvid.conf", "info"):
        (tmp_path / name).write_text("")
    for name in ("config.toml", "dvid.conf", "missing.toml"):
        assert is_config_file(str(tmp_path / name))
    for argument in (str(tmp_path), str(tmp_path / "info"), "s3://bucket/x.toml", "missing", "a\0.b", ""):
        assert not is_config_file(argument)


@given(names=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3), flag=st.booleans())
def test_the_written_configuration_is_read_as_it_was_meant(names: list[str], *, flag: bool) -> None:
    taken = [derive_name(parse_ref("s3://bucket/em")) if not fits(name) else name for name in names]
    volumes = [
        NamedVolume("x", parse_ref(f"s3://bucket/{number}"), name, flag)
        for number, name in enumerate(dict.fromkeys(taken))
    ]
    config = parse_config(bare_text(volumes, Address("::1", 80), is_open=flag), "command line")
    assert [store.instance for store in config.stores] == [one.instance for one in volumes]
    assert [store.ref for store in config.stores] == [one.ref for one in volumes]
    assert all(store.anonymous == flag for store in config.stores)
    assert config.server.http_address == Address("::1", 80)
    assert config.server.cors_domains == (("*",) if flag else ())
    assert not config.is_file


def fits(name: str) -> bool:
    try:
        name_volumes(["s3://bucket/em"], [name], anonymous=False)
    except ConfigError:
        return False
    return True
