"""Whole files: what loads, and what is wrong with a file or with its sections."""

import subprocess
import sys
from pathlib import Path

import pytest

from dvidpc.config import (
    Address,
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
from dvidpc.errors import ConfigError
from dvidpc.storage.ref import parse_ref
from tests.config.files import STORE, error_of, load

DVID_README = """
[server]
httpAddress = "localhost:8000"
rpcAddress = "localhost:8001"
webClient = "/home/me/dvid-webclient"
noLabelmapSplit = true

[logging]
logfile = "/demo/logs/dvid.log"
max_log_size = 500 # MB
max_log_age = 30   # days

[backend]
    [backend.default]
    store = "mainstore"
    log = "mutationlog"

[store]
    [store.mainstore]
    engine = "basholeveldb"
    path = "/demo/dbs/basholeveldb"

    [store.mutationlog]
    engine = "filelog"
    path = "/demo/mutlogs"

    [store.mystorage]
    engine = "ngprecomputed"
    ref = "s3://mybucket/sample1/image_aligned/"
    instance = "sample1"
"""


def test_configuration_of_dvids_readme_loads_unchanged(tmp_path: Path) -> None:
    config = load(tmp_path, DVID_README)
    assert config.server == ServerConfig(web_client=Path("/home/me/dvid-webclient"))
    assert config.logging == LoggingConfig(Path("/demo/logs/dvid.log"), 500, 30)
    assert config.stores == (
        StoreConfig("mystorage", parse_ref("s3://mybucket/sample1/image_aligned/"), instance="sample1"),
    )
    not_needed = "is not needed: only ngprecomputed, zarr, n5 stores are read; ignored"
    assert config.notes == (
        "[backend] is not needed: nothing is stored here; ignored",
        "[server] rpcAddress is not needed: no RPC is served; ignored",
        f'[store.mainstore] of engine "basholeveldb" {not_needed}',
        f'[store.mutationlog] of engine "filelog" {not_needed}',
    )
    assert config.warnings == (
        '[server] noLabelmapSplit: unknown key, ignored; did you mean "allowLabelmapSplit"?',
    )


def test_one_store_is_enough_and_everything_else_has_a_default(tmp_path: Path) -> None:
    config = load(tmp_path, STORE)
    assert config == Config(
        path=tmp_path / "config.toml",
        server=ServerConfig(),
        logging=LoggingConfig(),
        repo=RepoConfig(),
        cache=CacheConfig(),
        limits=LimitsConfig(),
        metrics=MetricsConfig(),
        auth=AuthConfig(),
        stores=(StoreConfig("em", parse_ref("s3://bucket/em"), instance="em"),),
        notes=(),
        warnings=(),
    )
    assert config.server.http_address == Address("localhost", 8000)
    assert (config.cache.memory, config.cache.index_memory) == (512 * 2**20, 128 * 2**20)
    assert config.stores[0].block_size == 64
    assert config.stores[0].missing_status == {404}


def test_relative_configuration_path_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text(f'[server]\nwebClient = "web"\n{STORE}')
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("c.toml"))
    assert config.path == Path("c.toml")
    assert config.server.web_client == tmp_path / "web"


def test_empty_string_means_the_same_as_no_key(tmp_path: Path) -> None:
    text = (
        '[server]\nwebClient = ""\nhost = ""\n[logging]\nlogfile = ""\n'
        '[repo]\nuuid = ""\n[metrics]\naddress = ""\n'
        f'{STORE}endpoint = ""\nprofile = ""\n'
    )
    config = load(tmp_path, text)
    assert config == load(tmp_path, STORE)


WARNED = [
    (
        '[cache]\ndisk_path = "/var/cache/dvidpc"\n' + STORE,
        '[cache] disk_path has no effect without disk; write for example disk = "200GiB"',
    ),
    ("[weather]\nrain = true\n" + STORE, "[weather]: unknown section, ignored"),
    (
        "answer = 42\n" + STORE,
        "answer: key outside of any section, ignored; move it below the line of its section",
    ),
    (
        '[server]\ncorsDomains = ["*", "https://a.example", "b.example"]\n' + STORE,
        '[server] corsDomains: "b.example" matches no page; write an origin, such as "https://b.example"',
    ),
]


@pytest.mark.parametrize(("text", "warning"), WARNED)
def test_probable_mistakes_are_warned_of(tmp_path: Path, text: str, warning: str) -> None:
    assert load(tmp_path, text).warnings == (warning,)


NOTED = [
    ("[kafka]\nservers = []\n", "[kafka] is not needed: no activity is published; ignored"),
    ("[email]\nport = 25\n", "[email] is not needed: no mail is sent; ignored"),
    ("[mutations]\n", "[mutations] is not needed: nothing can be changed here; ignored"),
    ("[mirror.all]\n", "[mirror] is not needed: nothing can be changed here; ignored"),
    ("[groupcache]\ngb = 1\n", "[groupcache] is not needed: [cache] memory limits the cache; ignored"),
    ("[mutcache.x]\npath = ''\n", "[mutcache] is not needed: it is for labels only; ignored"),
    (
        "[cache.labelarray]\nsize = 10\n",
        "[cache.labelarray] is not needed: DVID has it for labels only; ignored",
    ),
    ("[auth]\nauth_file = 'a'\n", "[auth] is not needed: everybody may read here; ignored"),
    (
        "[auth]\nenforce = 'token'\nno_enforce = true\n",
        "[auth] is not needed: everybody may read here; ignored",
    ),
    (
        "[server]\nstartWebHook = 'x'\n",
        "[server] startWebhook is not needed: no webhook is called at the start; ignored",
    ),
    (
        "[server]\nrwmode = 'fullwrite'\n",
        '[server] rwmode = "fullwrite" is not needed: nothing can be changed here; ignored',
    ),
]


@pytest.mark.parametrize(("text", "note"), NOTED)
def test_what_only_dvid_needs_is_noted(tmp_path: Path, text: str, note: str) -> None:
    config = load(tmp_path, text + STORE)
    assert config.notes == (note,)
    assert config.warnings == ()


def test_cache_is_ours_and_dvids_at_once(tmp_path: Path) -> None:
    config = load(
        tmp_path, "[cache]\nmemory = '1GiB'\nindex_memory = 0\n[cache.labelmap]\nsize = 3\n" + STORE
    )
    assert config.cache == CacheConfig(2**30, 0)


def test_disk_cache_needs_a_size_and_a_directory(tmp_path: Path) -> None:
    config = load(tmp_path, '[cache]\ndisk = "200GiB"\ndisk_path = "/var/cache/dvidpc"\n' + STORE)
    assert config.cache == CacheConfig(disk=200 * 2**30, disk_path=Path("/var/cache/dvidpc"))
    for text in ("[cache]\ndisk = 0\n", '[cache]\ndisk = "0"\ndisk_path = ""\n'):
        assert load(tmp_path, text + STORE).cache == CacheConfig()


WRONG = [
    ("[server]\nnote = \n", "line 2, column 8: Invalid value", "correct the TOML there"),
    (
        "[server\n",
        "line 1, column 8: Expected ']' at the end of a table declaration",
        "correct the TOML there",
    ),
    (
        "[server]\nnote = 1\nnote = 2\n",
        "line 3, column 9: Cannot overwrite a value",
        "correct the TOML there",
    ),
    ("server = 5\n", "[server]: expected a table, got the integer 5", "write its keys below a line [server]"),
    ("[server]\n[Server]\n", "Server: given twice, in different case", "remove one of them"),
    ("[limit]\nmax_blocks = 5\n", "[limit]: unknown section", 'did you mean "[limits]"?'),
    ("[auths]\nenforce = 'token'\n", "[auths]: unknown section", 'did you mean "[auth]"?'),
    ("[[limits]]\n", "[limits]: expected a table, got an array", "write its keys below a line [limits]"),
    (
        "[cache]\ndisk = '64MiB'\ndisk_path = ''\n",
        "[cache] disk: needs disk_path",
        "name a directory on a local disk",
    ),
    (
        "[limits]\nbackoff_min = 2\n",
        "[limits] backoff_min: is greater than backoff_max",
        "lower it or raise backoff_max",
    ),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"


@pytest.mark.parametrize("value", ["[" * 1000, "9" * 5000])
def test_value_beyond_what_toml_can_hold_is_refused_in_one_line(tmp_path: Path, value: str) -> None:
    assert error_of(tmp_path, f"a = {value}").startswith("not usable TOML: ")


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in [(tmp_path / "no.toml", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value) == f"{path}: cannot be read: {reason}; name a readable file"


def test_file_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^'a\\x00b': no file can have this name; name the"):
        load_config(Path("a\0b"))


def test_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'[server]\nnote = "\xe9"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: line 2: is not UTF-8; save the file as UTF-8"


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + STORE.replace("\n", "\r\n").encode())
    assert load_config(path).stores[0].alias == "em"


def test_package_is_quick_to_import() -> None:
    heavy = ["asyncio", "aiohttp", "numpy", "obstore"]
    code = f"import sys, dvidpc.config; print([name for name in {heavy} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"
