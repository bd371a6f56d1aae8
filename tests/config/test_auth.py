"""`[auth]`: who may read, and what a server that cannot check it refuses."""

from pathlib import Path

import pytest

from dvidpc.config import AuthConfig
from tests.config.files import STORE, error_of, load


@pytest.mark.parametrize("enforce", ['""', '"none"'])
def test_no_protection_may_be_asked_for(tmp_path: Path, enforce: str) -> None:
    assert load(tmp_path, f"[auth]\nenforce = {enforce}\n{STORE}").notes == ()


@pytest.mark.parametrize(
    "text", ["enforce = 'token'", "proxy_address = 'x'", "enforce = 'token'\nenforce_internal = 'token'"]
)
def test_tokens_may_be_asked_for(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[auth]\n{text}\n{STORE}").auth == AuthConfig("token")


AUTH_ADVICE = 'write enforce = "token", or "none" and let a reverse proxy authenticate users'
WRONG = [
    ("[Auth]\nEnforce = 'dsg'\n", '[auth] enforce: the string "dsg" is not implemented', AUTH_ADVICE),
    ("[auth]\nenforce = true\n", "[auth] enforce: expected a string, got the boolean true", AUTH_ADVICE),
    (
        "[auth]\nenforce_internal = 'token'\n",
        '[auth] enforce_internal: the string "token" is not implemented',
        AUTH_ADVICE,
    ),
    ("[auth]\nenforced = 'token'\n", "[auth] enforced: unknown key", 'did you mean "enforce"?'),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_section_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"


def test_public_versions_are_warned_of_where_tokens_are_asked_for(tmp_path: Path) -> None:
    config = load(tmp_path, f'[auth]\nenforce = "token"\npublic_versions = ["a"]\n{STORE}')
    assert config.auth == AuthConfig("token")
    assert config.warnings == ("[auth] public_versions is ignored: every reader needs a token",)


@pytest.mark.parametrize("text", ["enforce = 'dsg'", "enforce_internal = 'token'", "proxy_address = 'x'"])
def test_no_enforce_lets_everybody_read(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[auth]\nno_enforce = true\n{text}\n{STORE}").auth == AuthConfig("none")
