"""What is freed is used again."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from dvidpc.run.allocator import keep_freed_memory

def faults_of_a_request():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    chunks = [bytes(60_000) for _ in range(200)], bytes(2_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
first = faults_of_a_request()
print(first > 1000, sum(faults_of_a_request() for _ in range(10)) < first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks the allocator of glibc")
def test_memory_that_a_request_frees_is_there_for_the_next() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert said == "True True\n"
