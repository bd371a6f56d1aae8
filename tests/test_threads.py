"""Where the system gives no more threads, the server goes on with those it has, or says so."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvidpc.threads import ThreadPool, is_shortage
from tests.faulty.site import UNSHARDED, limits_section
from tests.faulty.truth import blocks_path, write_truth
from tests.serving import config_text, serving

TOO_LARGE = 1 << 47
"""A size of a stack that no address space has room for: a thread cannot start, as at a limit of processes."""


@contextmanager
def no_more_threads() -> Iterator[None]:
    before = threading.stack_size(TOO_LARGE)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_work_waits_for_a_thread_that_is_there() -> None:
    """Kopf issue 311, openshift/origin issue 24360."""
    busy = threading.Event()
    with ThreadPool(4) as pool:
        first = pool.submit(busy.wait, 10)
        with no_more_threads():
            others = [pool.submit(pow, 2, number) for number in range(5)]
        assert not first.done()
        busy.set()
        assert [other.result(10) for other in others] == [1, 2, 4, 8, 16]


def test_a_pool_without_any_thread_says_so() -> None:
    with ThreadPool(4) as pool, no_more_threads():
        with pytest.raises(RuntimeError) as caught:
            pool.submit(pow, 2, 3)
        assert is_shortage(caught.value)
    assert not is_shortage(RuntimeError("another"))


async def test_a_server_without_threads_answers_503_or_the_right_blocks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    truth = write_truth(tmp_path / "em", UNSHARDED)
    text = config_text({"em": tmp_path / "em"}, limits_section())
    async with serving(text, tmp_path) as server:
        with no_more_threads():
            for cell in truth.blocks:
                path = blocks_path(server.node, "em", [cell])
                async with server.session.get(server.url + path) as answer:
                    assert answer.status in {200, 503}
                    body = await answer.read()
                if answer.status == 200:
                    assert truth.wrong_in([cell], body) == []
                else:
                    assert b"no more threads; raise its limit of processes" in body
        for cell in truth.blocks:
            path = blocks_path(server.node, "em", [cell])
            assert truth.wrong_in([cell], await server.get(path)) == []
    assert "bug in dvidpc" not in caplog.text
