"""The keys of a section: their case, unknown ones, relative paths."""

from pathlib import Path

import pytest

from dvidpc.config import Address, ServerConfig
from tests.config.files import STORE, error_of, load


def test_keys_of_dvids_sections_are_taken_in_any_case(tmp_path: Path) -> None:
    text = '[Server]\nHTTPADDRESS = ":80"\nWorkers = 2\nbasepath = "/dvid/"\n[LOGGING]\nMax_Log_Size = 7\n'
    config = load(tmp_path, text + STORE)
    assert config.server == ServerConfig(http_address=Address(None, 80), workers=2, base_path="/dvid")
    assert config.logging.max_log_size_mb == 7
    assert config.warnings == ()


def test_relative_paths_start_from_the_files_directory(tmp_path: Path) -> None:
    text = (
        '[server]\nwebClient = "web"\npidFile = "../run/pid"\nblockListFile = "/etc/blocked"\n'
        f'[logging]\nlogfile = "dvid.log"\n{STORE}ca_bundle = "ca.pem"\n'
    )
    config = load(tmp_path, text)
    assert config.server.web_client == tmp_path / "web"
    assert config.server.pid_file == tmp_path / "../run/pid"
    assert config.server.block_list_file == Path("/etc/blocked")
    assert config.logging.logfile == tmp_path / "dvid.log"
    assert config.stores[0].ca_bundle == tmp_path / "ca.pem"


WARNED = [
    ("[server]\nworker = 4\n" + STORE, '[server] worker: unknown key, ignored; did you mean "workers"?'),
    ("[server]\nfrobnicate = 4\n" + STORE, "[server] frobnicate: unknown key, ignored"),
    (
        "[logging]\nlog_file = 'x'\n" + STORE,
        '[logging] log_file: unknown key, ignored; did you mean "logfile"?',
    ),
    ('[server]\n"a\\nb" = 1\n' + STORE, "[server] a\\nb: unknown key, ignored"),
]


@pytest.mark.parametrize(("text", "warning"), WARNED)
def test_probable_mistakes_are_warned_of(tmp_path: Path, text: str, warning: str) -> None:
    assert load(tmp_path, text).warnings == (warning,)


WRONG = [
    (
        "[server]\nnote = 'a'\nNote = 'b'\n",
        "[server] Note: given twice, in different case",
        "remove one of them",
    ),
    ("[limits]\nmax_block = 5\n", "[limits] max_block: unknown key", 'did you mean "max_blocks"?'),
    ("[limits]\nMax_Blocks = 5\n", "[limits] Max_Blocks: unknown key", 'did you mean "max_blocks"?'),
    ("[repo]\nx = 5\n", "[repo] x: unknown key", "known keys are uuid, alias, description"),
    ("[cache]\nmemroy = 5\n", "[cache] memroy: unknown key", 'did you mean "memory"?'),
    ('[repo]\n"a\\nb" = 5\n', "[repo] a\\nb: unknown key", "known keys are uuid, alias, description"),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_key_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"
