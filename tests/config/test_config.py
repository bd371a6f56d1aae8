"""The configuration file: what loads, what is refused, and in which words."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_type_hints

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

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
    one_line,
    read_config,
)
from dvidpc.config.reading import keys_of
from dvidpc.config.values import parse_address, parse_size
from dvidpc.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
STORE = '[store.em]\nengine = "ngprecomputed"\nref = "s3://bucket/em"\ninstance = "em"\n'

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


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def error_of(tmp_path: Path, text: str) -> str:
    """The error that *text* ends in, without the file's path."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{tmp_path}/config.toml: ")
    return message.removeprefix(f"{tmp_path}/config.toml: ")


def test_configuration_of_dvids_readme_loads_unchanged(tmp_path: Path) -> None:
    config = load(tmp_path, DVID_README)
    assert config.server == ServerConfig(web_client=Path("/home/me/dvid-webclient"))
    assert config.logging == LoggingConfig(Path("/demo/logs/dvid.log"), 500, 30)
    assert config.stores == (
        StoreConfig("mystorage", "s3://mybucket/sample1/image_aligned/", instance="sample1"),
    )
    not_needed = "is not needed: only ngprecomputed stores are read; ignored"
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
        stores=(StoreConfig("em", "s3://bucket/em", instance="em"),),
        notes=(),
        warnings=(),
    )
    assert config.server.http_address == Address("localhost", 8000)
    assert (config.cache.memory, config.cache.index_memory) == (512 * 2**20, 128 * 2**20)
    assert config.stores[0].block_size == 64
    assert config.stores[0].missing_status == {404}


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


def test_relative_configuration_path_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text(f'[server]\nwebClient = "web"\n{STORE}')
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("c.toml"))
    assert config.path == Path("c.toml")
    assert config.server.web_client == tmp_path / "web"


def test_empty_string_is_as_good_as_no_key(tmp_path: Path) -> None:
    text = (
        '[server]\nwebClient = ""\nhost = ""\n[logging]\nlogfile = ""\n'
        '[repo]\nuuid = ""\n[metrics]\naddress = ""\n'
        f'{STORE}endpoint = ""\nprofile = ""\n'
    )
    config = load(tmp_path, text)
    assert config == load(tmp_path, STORE)


def test_stores_stand_in_the_files_order_with_their_keys(tmp_path: Path) -> None:
    text = """
[store.z]
engine = "ngprecomputed"
ref = "bucket/prefix"
instance = "z"
uuid = "28841c"
testing = true
endpoint = "http://localhost:9000"
region = "eu-west-1"
profile = "lab"
anonymous = true
path_style = true
requester_pays = true
user_project = "billing"
block_size = "chunk"
missing_status = [403, 404]
[store.a]
engine = "ngprecomputed"
ref = "file:///volumes/a"
instance = "a"
path_style = "auto"
"""
    z, a = load(tmp_path, text).stores
    assert z == StoreConfig(
        alias="z",
        ref="bucket/prefix",
        instance="z",
        uuid="28841c",
        testing=True,
        endpoint="http://localhost:9000",
        region="eu-west-1",
        profile="lab",
        anonymous=True,
        path_style=True,
        requester_pays=True,
        user_project="billing",
        block_size=None,
        missing_status=frozenset({403, 404}),
    )
    assert a == StoreConfig("a", "file:///volumes/a", instance="a")


@pytest.mark.parametrize(
    "ref",
    [
        "s3://b",
        "s3://b/p/q/",
        "gs://b/p",
        "vast://vast.example.org/b/p",
        "http://localhost:8080/v",
        "https://h/v",
        "file:///v",
        "file://localhost/v",
        "/v",
        "/v//w:x",
        "b",
        "b/p",
    ],
)
def test_every_kind_of_ref_is_taken_as_it_is(tmp_path: Path, ref: str) -> None:
    assert load(tmp_path, STORE.replace("s3://bucket/em", ref)).stores[0].ref == ref


WARNED = [
    (
        STORE.replace('instance = "em"', ""),
        '[store.em] has no instance and is served as nothing; write for example instance = "sample1"',
    ),
    (
        STORE + STORE.replace('em"', 'em_1"').replace("[store.em]", "[store.more]"),
        (
            '[store.more] instance: "em_1" is also the name of a scale of [store.em], if that has so many; '
            "better give one another name"
        ),
    ),
    ("[server]\nworker = 4\n" + STORE, '[server] worker: unknown key, ignored; did you mean "workers"?'),
    ("[server]\nfrobnicate = 4\n" + STORE, "[server] frobnicate: unknown key, ignored"),
    (
        "[logging]\nlog_file = 'x'\n" + STORE,
        '[logging] log_file: unknown key, ignored; did you mean "logfile"?',
    ),
    ("[weather]\nrain = true\n" + STORE, "[weather]: unknown section, ignored"),
    (
        "answer = 42\n" + STORE,
        "answer: a key outside of every section, ignored; write it below its section's line",
    ),
    (
        STORE + '[store.x]\nengine = "zzz"\n',
        '[store.x] engine: unknown engine "zzz", the store is ignored',
    ),
    ('[server]\n"a\\nb" = 1\n' + STORE, "[server] a\\nb: unknown key, ignored"),
    (
        '[server]\ncorsDomains = ["*", "https://a.example", "b.example"]\n' + STORE,
        '[server] corsDomains: "b.example" matches no page; write an origin, such as "https://b.example"',
    ),
]


@pytest.mark.parametrize(("text", "warning"), WARNED)
def test_probable_slips_are_warned_of(tmp_path: Path, text: str, warning: str) -> None:
    assert load(tmp_path, text).warnings == (warning,)


NOTED = [
    ("[kafka]\nservers = []\n", "[kafka] is not needed: no activity is published; ignored"),
    ("[email]\nport = 25\n", "[email] is not needed: no mail is sent; ignored"),
    ("[mutations]\n", "[mutations] is not needed: nothing can be changed here; ignored"),
    ("[mirror.all]\n", "[mirror] is not needed: nothing can be changed here; ignored"),
    ("[groupcache]\ngb = 1\n", "[groupcache] is not needed: [cache] memory says how much is kept; ignored"),
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
        "[server] startWebhook is not needed: nobody is told of the start; ignored",
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


@pytest.mark.parametrize("enforce", ['""', '"none"'])
def test_no_protection_may_be_asked_for(tmp_path: Path, enforce: str) -> None:
    assert load(tmp_path, f"[auth]\nenforce = {enforce}\n{STORE}").notes == ()


@pytest.mark.parametrize(
    "text", ["enforce = 'token'", "proxy_address = 'x'", "enforce = 'token'\nenforce_internal = 'token'"]
)
def test_tokens_may_be_asked_for(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, f"[auth]\n{text}\n{STORE}").auth == AuthConfig("token")


AUTH_ADVICE = 'write enforce = "token", or "none" and let a reverse proxy ask who is there'
WRONG = [
    # TOML
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
    # sections
    ("server = 5\n", "[server]: expected a table, got the integer 5", "write its keys below a line [server]"),
    ("[server]\n[Server]\n", "Server: given twice, in different case", "remove one of them"),
    ("[limit]\nmax_blocks = 5\n", "[limit]: unknown section", 'did you mean "[limits]"?'),
    ("[auths]\nenforce = 'token'\n", "[auths]: unknown section", 'did you mean "[auth]"?'),
    ("[[limits]]\n", "[limits]: expected a table, got an array", "write its keys below a line [limits]"),
    # keys
    (
        "[server]\nnote = 'a'\nNote = 'b'\n",
        "[server] Note: given twice, in different case",
        "remove one of them",
    ),
    ("[limits]\nmax_block = 5\n", "[limits] max_block: unknown key", 'did you mean "max_blocks"?'),
    ("[limits]\nMax_Blocks = 5\n", "[limits] Max_Blocks: unknown key", 'did you mean "max_blocks"?'),
    ("[repo]\nx = 5\n", "[repo] x: unknown key", "known are uuid, alias, description"),
    ("[cache]\nmemroy = 5\n", "[cache] memroy: unknown key", 'did you mean "memory"?'),
    ('[repo]\n"a\\nb" = 5\n', "[repo] a\\nb: unknown key", "known are uuid, alias, description"),
    # types
    (
        "[server]\nnote = 5\n",
        "[server] note: expected a string, got the integer 5",
        'write for example note = "text"',
    ),
    (
        "[server]\nallowTiming = 'yes'\n",
        '[server] allowTiming: expected true or false, got the string "yes"',
        "write for example allowTiming = true",
    ),
    (
        "[server]\nworkers = true\n",
        "[server] workers: expected an integer from 1 to 1024, got the boolean true",
        "write for example workers = 2",
    ),
    (
        "[server]\nworkers = 0\n",
        "[server] workers: expected an integer from 1 to 1024, got the integer 0",
        "write for example workers = 2",
    ),
    (
        "[server]\ncorsDomains = '*'\n",
        '[server] corsDomains: expected an array of strings, got the string "*"',
        'write for example corsDomains = ["text"]',
    ),
    (
        "[server]\ncorsDomains = ['a', 5]\n",
        "[server] corsDomains: expected an array of strings, got one that holds the integer 5",
        'write for example corsDomains = ["text"]',
    ),
    (
        "[server]\nwebClient = 1979-05-27\n",
        "[server] webClient: expected a string that holds a path, got a date or time",
        'write for example webClient = "/path/to/it"',
    ),
    (
        '[server]\nnote = "a\\u0000"\n',
        "[server] note: a string here cannot hold a NUL character",
        'write for example note = "text"',
    ),
    (
        "[logging]\nformat = 'xml'\n",
        '[logging] format: expected "text" or "json", got the string "xml"',
        'write for example format = "text"',
    ),
    # numbers
    (
        "[limits]\nmax_blocks = -1\n",
        "[limits] max_blocks: expected an integer from 1 to 2147483647, got the integer -1",
        "write for example max_blocks = 100",
    ),
    (
        "[limits]\nattempts = 2.0\n",
        "[limits] attempts: expected an integer from 1 to 100, got the float 2.0",
        "write for example attempts = 3",
    ),
    (
        "[limits]\nconnect_timeout = 0\n",
        "[limits] connect_timeout: expected seconds, more than 0 and at most 31536000, got the integer 0",
        "write for example connect_timeout = 2.5",
    ),
    (
        "[limits]\nconnect_timeout = nan\n",
        "[limits] connect_timeout: expected seconds, more than 0 and at most 31536000, got the float nan",
        "write for example connect_timeout = 2.5",
    ),
    (
        "[limits]\nnegative_ttl = inf\n",
        "[limits] negative_ttl: expected seconds, 0 to 31536000, got the float inf",
        "write for example negative_ttl = 2.5",
    ),
    (
        "[limits]\nconnect_timeout = '3s'\n",
        '[limits] connect_timeout: expected seconds, more than 0 and at most 31536000, got the string "3s"',
        "write for example connect_timeout = 2.5",
    ),
    (
        f"[limits]\ndrain_timeout = 1{'0' * 400}\n",
        "[limits] drain_timeout: expected seconds, 0 to 31536000, got an integer beyond 64 bits",
        "write for example drain_timeout = 2.5",
    ),
    (
        "[limits]\nretry_budget = 20\n",
        "[limits] retry_budget: expected a number from 0 to 1, got the integer 20",
        "write for example retry_budget = 0.2",
    ),
    (
        "[limits]\nbackoff_min = 2\n",
        "[limits] backoff_min: is more than backoff_max",
        "lower it or raise the other",
    ),
    # sizes
    (
        "[cache]\nmemory = 'much'\n",
        '[cache] memory: expected a size, got the string "much"',
        'write for example memory = "512MiB"',
    ),
    (
        "[cache]\nmemory = '512M'\n",
        '[cache] memory: unknown unit "M", known are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB',
        'write for example memory = "512MiB"',
    ),
    (
        "[cache]\nmemory = -1\n",
        "[cache] memory: expected a size, got the integer -1",
        'write for example memory = "512MiB"',
    ),
    (
        "[limits]\nmax_response = 0\n",
        "[limits] max_response: expected a size of at least one byte, got the integer 0",
        'write for example max_response = "512MiB"',
    ),
    # addresses
    (
        "[server]\nhttpAddress = 8000\n",
        "[server] httpAddress: expected a string such as host:port, got the integer 8000",
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[server]\nhttpAddress = 'localhost'\n",
        '[server] httpAddress: the string "localhost" does not end in a colon and a port from 0 to 65535',
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[server]\nhttpAddress = 'http://localhost:8000'\n",
        '[server] httpAddress: the string "http://localhost:8000" is no host:port',
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[server]\nhttpAddress = '::1:8000'\n",
        '[server] httpAddress: the string "::1:8000" holds an IPv6 address outside of brackets',
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[metrics]\naddress = '*:9090'\n",
        '[metrics] address: the string "*:9090" names no host; every interface is :9090',
        'write for example address = "localhost:8001"',
    ),
    (
        "[server]\nbasePath = 'dvid'\n",
        '[server] basePath: expected a path that starts with /, got the string "dvid"',
        'write for example basePath = "/dvid"',
    ),
    # repo
    (
        "[repo]\nuuid = 'ABC'\n",
        '[repo] uuid: expected 32 hex digits in lower case, got the string "ABC"',
        'write for example uuid = "28841c8277e044a7b187dda03e18da13"',
    ),
    # auth
    ("[Auth]\nEnforce = 'dsg'\n", '[auth] enforce: the string "dsg" is not implemented', AUTH_ADVICE),
    ("[auth]\nenforce = true\n", "[auth] enforce: expected a string, got the boolean true", AUTH_ADVICE),
    (
        "[auth]\nenforce_internal = 'token'\n",
        '[auth] enforce_internal: the string "token" is not implemented',
        AUTH_ADVICE,
    ),
    ("[auth]\nenforced = 'token'\n", "[auth] enforced: unknown key", 'did you mean "enforce"?'),
    # stores
    (
        "[server]\n",
        "[store]: no volume to serve",
        'write [store.mystorage] with engine = "ngprecomputed", ref and instance',
    ),
    (
        "[store.x]\nengine = 'badger'\npath = '/x'\n",
        "[store]: no volume to serve",
        'write [store.mystorage] with engine = "ngprecomputed", ref and instance',
    ),
    (
        "[store]\nengine = 'ngprecomputed'\n",
        "[store] engine: is in no store",
        "write it below a line such as [store.mystorage]",
    ),
    (
        "[store.x]\nref = 's3://b'\n",
        "[store.x] engine: is missing, every store needs one",
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nEngine = 'ngprecomputed'\n",
        '[store.x] engine: is missing, found "Engine"',
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nengine = 5\n",
        "[store.x] engine: expected a string, got the integer 5",
        'write engine = "ngprecomputed"',
    ),
    (
        "[store.x]\nengine = 'ngprecompute'\n",
        '[store.x] engine: unknown engine "ngprecompute"',
        'did you mean "ngprecomputed"?',
    ),
    (
        "[store.x]\nengine = 'ngprecomputed'\n",
        "[store.x] ref: is missing",
        'write for example ref = "s3://mybucket/sample1/image_aligned/"',
    ),
    (STORE + "anonimous = true\n", "[store.em] anonimous: unknown key", 'did you mean "anonymous"?'),
    (
        STORE + STORE.replace("[store.em]", "[store.again]"),
        '[store.again] instance: "em" is already that of [store.em]',
        "give one another name",
    ),
    (
        STORE + "block_size = 0\n",
        '[store.em] block_size: expected an integer from 1 to 1024 or "chunk", got the integer 0',
        "write for example block_size = 64",
    ),
    (
        STORE + "missing_status = [404, 500]\n",
        "[store.em] missing_status: expected statuses from 400 to 499, got the integer 500",
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "missing_status = [403]\n",
        "[store.em] missing_status: 404 always means that an object is missing",
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "missing_status = [404, 429]\n",
        '[store.em] missing_status: 429 says "later", never that an object is missing',
        "write for example missing_status = [403, 404]",
    ),
    (
        STORE + "endpoint = 'localhost:9000'\n",
        '[store.em] endpoint: expected an http or https URL, got the string "localhost:9000"',
        'write for example endpoint = "https://s3.example.org"',
    ),
    (
        STORE + "endpoint = 'https://me:secret@host'\n",
        "[store.em] endpoint: a URL here holds no user and no password",
        'write for example endpoint = "https://s3.example.org"',
    ),
    (
        STORE + "path_style = 'yes'\n",
        '[store.em] path_style: expected true, false or "auto", got the string "yes"',
        "write for example path_style = true",
    ),
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"


@pytest.mark.parametrize("value", ["[" * 1000, "9" * 5000])
def test_value_beyond_what_toml_can_hold_is_refused_in_one_line(tmp_path: Path, value: str) -> None:
    assert error_of(tmp_path, f"a = {value}").startswith("not usable TOML: ")


@pytest.mark.parametrize(
    "text", [STORE + "endpoint = 'ftp://me:secret@h'\n", STORE.replace("s3://", "https://me:secret@")]
)
def test_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    message = error_of(tmp_path, text)
    assert "a URL here holds no user and no password" in message
    assert "secret" not in message


INSTANCES = [
    ("", "an instance needs a name"),
    ("a/b", 'the string "a/b" cannot stand in a URL (no spaces, none of / ? # % \\)'),
    ("a b", 'the string "a b" cannot stand in a URL (no spaces, none of / ? # % \\)'),
    ("..", 'the string ".." cannot stand in a URL (no spaces, none of / ? # % \\)'),
    *(
        (word, f'"{word}" is a word of DVID\'s own routes')
        for word in ("log", "branch", "note", "commit", "newversion", "status", "tag")
    ),
]


@pytest.mark.parametrize(("name", "reason"), INSTANCES)
def test_name_that_cannot_be_an_instance_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    message = error_of(tmp_path, STORE.replace('"em"', f'"{name}"'))
    assert message == f'[store.em] instance: {reason}; write for example instance = "sample1"'


KNOWN_SCHEMES = "known are s3://, gs://, vast://, http://, https://, file://"
REFS = [
    ("", 'expected a string that says where the volume lies, got the string ""'),
    ("gcs://b/p", f'unknown service "gcs://", {KNOWN_SCHEMES}, did you mean "gs://"?'),
    ("S3://b/p", f'unknown service "S3://", {KNOWN_SCHEMES}, did you mean "s3://"?'),
    ("precomputed://s3://b/p", f'unknown service "precomputed://", {KNOWN_SCHEMES}'),
    ("s3://", '"s3://" is not followed by a name'),
    ("s3:///p", '"s3://" is not followed by a name'),
    ("file://v", '"file://" is not followed by / and a path'),
    ("./v", 'the string "./v" is a relative path, and only an absolute one is taken'),
    ("~/v", 'the string "~/v" is a relative path, and only an absolute one is taken'),
    ("s3:/b/p", 'the string "s3:/b/p" is neither a URL, an absolute path nor a bucket/prefix'),
]


@pytest.mark.parametrize(("ref", "reason"), REFS)
def test_ref_that_leads_nowhere_is_refused(tmp_path: Path, ref: str, reason: str) -> None:
    message = error_of(tmp_path, STORE.replace("s3://bucket/em", ref))
    assert (
        message == f'[store.em] ref: {reason}; write for example ref = "s3://mybucket/sample1/image_aligned/"'
    )


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in [(tmp_path / "no.toml", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value) == f"{path}: cannot be read: {reason}; name a file that can"


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


ADDRESSES = [
    ("localhost:8000", Address("localhost", 8000)),
    (":8000", Address(None, 8000)),
    ("0.0.0.0:0", Address("0.0.0.0", 0)),
    ("[::1]:65535", Address("::1", 65535)),
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_address_is_read_and_written_as_go_does(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", ":", "a:", "a:x", "a:-1", "a:65536", "a:٣", "a b:1", "[::1:1", "::1]:1", "a@b:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="string"):
        parse_address(text)


SIZES = [
    (5, 5),
    ("5", 5),
    ("512MiB", 512 * 2**20),
    ("512 mib", 512 * 2**20),
    ("2 GB", 2 * 10**9),
    ("1.5KiB", 1536),
    ("7B", 7),
    ("1TiB", 2**40),
    ("3kB", 3000),
]


@pytest.mark.parametrize(("value", "size"), SIZES)
def test_size_is_read_with_its_unit(value: object, size: int) -> None:
    assert parse_size(value) == size


@pytest.mark.parametrize(
    "value", ["", "-1", "MiB", "1e3", "5 5", "1_000", "٣", "99999999999TiB", 1.5, True, [], 2**63]
)
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some reasons are the kind's words, which the caller adds
        parse_size(value)


SECTIONS: Mapping[str, type] = {
    "server": ServerConfig,
    "logging": LoggingConfig,
    "repo": RepoConfig,
    "cache": CacheConfig,
    "limits": LimitsConfig,
    "metrics": MetricsConfig,
    "store.mystorage": StoreConfig,
}


def test_sections_of_the_table_are_all_there_are() -> None:
    hints = get_type_hints(Config).items()
    assert {one for name, one in hints if hasattr(one, "__dataclass_fields__")} == {
        one for one in (AuthConfig, *SECTIONS.values()) if one is not StoreConfig
    }


def uncommented(line: str) -> str:
    return re.sub(r"^#(?=\w+ = )", "", line)


def test_example_loads_and_says_nothing_but_defaults() -> None:
    config = load_config(EXAMPLE)
    assert config.server == ServerConfig()
    assert config.stores == (
        StoreConfig("mystorage", "s3://mybucket/sample1/image_aligned/", instance="sample1"),
    )
    assert config.notes == config.warnings == ()


def test_commented_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    text = "\n".join(uncommented(line) for line in EXAMPLE.read_text().splitlines())
    config = load(tmp_path, text)
    example = load_config(EXAMPLE)
    for name in ("server", "logging", "repo", "cache", "limits", "metrics", "stores"):
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


def test_escapes_keep_a_text_on_one_line() -> None:
    assert one_line("a\nb\r\x1b[0m\u2028\udc80é") == "a\\nb\\r\\x1b[0m\\u2028\\udc80é"


def test_package_is_quick_to_import() -> None:
    heavy = ["asyncio", "aiohttp", "numpy", "obstore"]
    code = f"import sys, dvidpc.config; print([name for name in {heavy} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["s3://b", "ngprecomputed", "em", "512MiB", ":80", "none", "chunk"])
    | st.dates()
    | st.times()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def tables(section: type) -> st.SearchStrategy[dict[str, object]]:
    """Tables with mostly known keys and any values."""
    keys = st.sampled_from(sorted(keys_of(section))) | st.text(max_size=8)
    return st.dictionaries(keys, TOML_VALUES, max_size=4)


GOOD_STORE = st.fixed_dictionaries({"engine": st.just("ngprecomputed"), "ref": st.just("s3://b")})
STORES = st.builds(lambda base, more: {**base, **more}, GOOD_STORE, tables(StoreConfig))
DOCUMENTS = st.fixed_dictionaries(
    {"store": st.dictionaries(st.text(max_size=8), STORES, min_size=1, max_size=3) | TOML_VALUES},
    optional={
        "auth": st.dictionaries(st.sampled_from(["enforce", "no_enforce", "proxy_address"]), TOML_VALUES),
        **{name: tables(section) | TOML_VALUES for name, section in SECTIONS.items() if "." not in name},
        "backend": TOML_VALUES,
        "whatever": TOML_VALUES,
    },
)


def said_of(document: dict[str, object]) -> tuple[str, ...]:
    """What reading *document* says: one error, or notes and warnings."""
    try:
        config = read_config(document, Path("dir\nname/config.toml"))
    except ConfigError as e:
        return (str(e),)
    return config.notes + config.warnings


@given(DOCUMENTS)
def test_any_document_loads_or_is_refused_in_one_line(document: dict[str, object]) -> None:
    assert all(text.isprintable() for text in said_of(document))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).isprintable()
