"""Memory bounds are read from the system, and freed memory is reused."""

import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dvidpc.run.memory import Bound, read_bounds

MIB = 2**20


def make_root(directory: Path, group: str, files: dict[str, str]) -> Path:
    """Write a fake `/proc` and `/sys`."""
    described = {"proc/self/statm": "1000 100 10 1 0 500 0\n", "proc/self/cgroup": f"{group}\n"}
    for name, text in {**described, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def of_control_groups(root: Path) -> list[Bound]:
    return [bound for bound in read_bounds(root) if bound.name.startswith("memory.")]


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        (
            "0::/user/one",
            {
                "sys/fs/cgroup/user/one/memory.max": "1000000\n",
                "sys/fs/cgroup/user/one/memory.stat": "anon 4000\nfile 9000\n",
            },
            [Bound("memory.max", 4000, 1_000_000)],
        ),
        (
            "0::/../of/the/host",
            {"sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.stat": "anon 4000\n"},
            [Bound("memory.max", 4000, 1_000_000)],
        ),
        ("0::/", {"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.stat": "anon 4000\n"}, []),
        (
            "4:cpu,memory:/docker/1",
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
                "sys/fs/cgroup/memory/memory.stat": "rss 10\ntotal_rss 4000\n",
            },
            [Bound("memory.limit_in_bytes", 4000, 1_000_000)],
        ),
        (
            "4:memory:/",
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.stat": "total_rss 4000\n",
            },
            [],
        ),
        ("3:cpu:/", {}, []),
        ("0::/", {}, []),
    ],
    ids=["v2", "v2 within a container", "v2 without limit", "v1", "v1 without limit", "other", "no files"],
)
def test_a_control_group_says_what_it_allows(
    tmp_path: Path, group: str, files: dict[str, str], expected: list[Bound]
) -> None:
    assert of_control_groups(make_root(tmp_path, group, files)) == expected


def test_the_limits_of_the_process_are_read() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = 2**46
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        [bound] = [bound for bound in read_bounds() if bound.name == "ulimit -v"]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert bound.most == most
    assert 10 * MIB < bound.used < most
    assert not bound.is_near
    assert all(bound.name != "ulimit -v" for bound in read_bounds())


@pytest.mark.parametrize(
    ("used_mib", "most_mib", "expected"),
    [
        (96, 128, False),
        (97, 128, True),
        (236, 300, False),
        (237, 300, True),
        (1750, 2000, False),
        (1751, 2000, True),
    ],
)
def test_a_limit_is_near_before_an_allocation_fails(used_mib: int, most_mib: int, expected: object) -> None:
    assert Bound("limit", used_mib * MIB, most_mib * MIB).is_near is expected


PROGRAM = """
import resource
from dvidpc.run.memory import keep_freed_memory

def faults_of_a_request():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    chunks = [bytes(60_000) for _ in range(200)], bytes(2_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
first = faults_of_a_request()
print(first > 1000, sum(faults_of_a_request() for _ in range(10)) < first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks the allocator of glibc")
def test_memory_that_a_request_frees_is_reused() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert said == "True True\n"
