"""Every key has a default, a meaning and a line in the example."""

import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import pytest
import tomli

from dvidpc.config import (
    AuthConfig,
    CacheConfig,
    Config,
    LimitsConfig,
    LoggingConfig,
    MetricsConfig,
    RepoConfig,
    ServerConfig,
    StoreConfig,
    load_config,
)
from dvidpc.config.reading import keys_of
from dvidpc.storage.ref import parse_ref
from tests.config.files import load

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


SECTIONS: Mapping[str, type] = {
    "server": ServerConfig,
    "logging": LoggingConfig,
    "repo": RepoConfig,
    "cache": CacheConfig,
    "limits": LimitsConfig,
    "metrics": MetricsConfig,
    "auth": AuthConfig,
    "store.mystorage": StoreConfig,
}


def test_sections_of_the_table_are_all_there_are() -> None:
    hints = get_type_hints(Config).items()
    assert {one for name, one in hints if hasattr(one, "__dataclass_fields__")} == {
        one for one in SECTIONS.values() if one is not StoreConfig
    }


def uncommented(line: str) -> str:
    return re.sub(r"^#(?=\w+ = )", "", line)


def test_example_loads_and_says_nothing_but_defaults() -> None:
    config = load_config(EXAMPLE)
    assert config.server == ServerConfig()
    assert config.stores == (
        StoreConfig("mystorage", parse_ref("s3://mybucket/sample1/image_aligned/"), instance="sample1"),
    )
    assert config.notes == config.warnings == ()


def test_commented_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    text = "\n".join(uncommented(line) for line in EXAMPLE.read_text().splitlines())
    config = load(tmp_path, text)
    example = load_config(EXAMPLE)
    for name in ("server", "logging", "repo", "cache", "limits", "metrics", "auth", "stores"):
        assert getattr(config, name) == getattr(example, name)
    assert config.warnings == ()


def test_any_one_line_of_the_example_can_be_uncommented(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text().splitlines()
    commented = [number for number, line in enumerate(lines) if uncommented(line) != line]
    assert len(commented) > 60
    for number in commented:
        load(tmp_path, "\n".join([*lines[:number], uncommented(lines[number]), *lines[number + 1 :]]))


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_appears_in_the_example_in_its_section(name: str) -> None:
    text = "\n".join(uncommented(line) for line in EXAMPLE.read_text().splitlines())
    table = tomli.loads(text)
    for part in name.split("."):
        table = table[part]
    assert table.keys() == keys_of(SECTIONS[name]).keys()


@pytest.mark.parametrize("section", SECTIONS.values())
def test_every_field_has_a_key_a_default_and_a_docstring(section: type) -> None:
    source = Path(sys.modules[section.__module__].__file__ or "").read_text()
    required = {"alias", "ref"}
    for field in fields(section):
        assert field.name in required or field.default is not MISSING
        assert field.name == "alias" or field.name in {name for name, _ in keys_of(section).values()}
        assert re.search(rf'\n    {field.name}: .*\n    """', source)
