"""Writes configuration files and loads them, for the tests of every module of the room."""

from pathlib import Path

import pytest

from dvidpc.config import Config, load_config
from dvidpc.errors import ConfigError

STORE = '[store.em]\nengine = "ngprecomputed"\nref = "s3://bucket/em"\ninstance = "em"\n'


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def error_of(tmp_path: Path, text: str) -> str:
    """Return the error that *text* causes, without the file's path."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{tmp_path}/config.toml: ")
    return message.removeprefix(f"{tmp_path}/config.toml: ")
