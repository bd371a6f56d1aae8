"""Kinds of values: numbers, sizes, addresses, URLs, and the words for a wrong one."""

from pathlib import Path

import pytest

from dvidpc.config import Address
from dvidpc.config.sizes import parse_size
from dvidpc.config.values import parse_address
from tests.config.files import STORE, error_of

WRONG = [
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
    (
        "[cache]\ndisk = '63 MiB'\n",
        '[cache] disk: expected 0 or a size of at least 64 MiB, got the string "63 MiB"',
        'write for example disk = "200GiB"',
    ),
    (
        "[cache]\ndisk = 1\n",
        "[cache] disk: expected 0 or a size of at least 64 MiB, got the integer 1",
        'write for example disk = "200GiB"',
    ),
    (
        "[cache]\ndisk_path = 'cache'\n",
        '[cache] disk_path: the string "cache" is not an absolute path',
        'write for example disk_path = "/path/to/it"',
    ),
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
        '[server] httpAddress: the string "http://localhost:8000" is not host:port',
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[server]\nhttpAddress = '::1:8000'\n",
        '[server] httpAddress: the string "::1:8000" holds an IPv6 address without brackets',
        'write for example httpAddress = "localhost:8000"',
    ),
    (
        "[metrics]\naddress = '*:9090'\n",
        '[metrics] address: the string "*:9090" names no host; for every interface write :9090',
        'write for example address = "localhost:8001"',
    ),
    (
        "[server]\nbasePath = 'dvid'\n",
        '[server] basePath: expected a path that starts with /, got the string "dvid"',
        'write for example basePath = "/dvid"',
    ),
    (
        "[repo]\nuuid = 'ABC'\n",
        '[repo] uuid: expected 32 hex digits in lower case, got the string "ABC"',
        'write for example uuid = "28841c8277e044a7b187dda03e18da13"',
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
]


@pytest.mark.parametrize(("text", "reason", "advice"), WRONG)
def test_wrong_value_is_refused_in_one_line(tmp_path: Path, text: str, reason: str, advice: str) -> None:
    assert error_of(tmp_path, text) == f"{reason}; {advice}"


@pytest.mark.parametrize(
    "text", [STORE + "endpoint = 'ftp://me:secret@h'\n", STORE.replace("s3://", "https://me:secret@")]
)
def test_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    message = error_of(tmp_path, text)
    assert "a URL here holds no user and no password" in message
    assert "secret" not in message


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
def test_what_is_not_an_address_is_refused(text: str) -> None:
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
def test_what_is_not_a_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some reasons are the kind's words, which the caller adds
        parse_size(value)
