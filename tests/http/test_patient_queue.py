"""The queue of patient requests is bounded by the bytes it holds, and forgets those who leave."""

import pytest

from dvidpc.http.patient_queue import MOST_HELD, PatientQueue, was_admitted


async def test_requests_are_admitted_in_the_order_of_arrival() -> None:
    queue = PatientQueue()
    first, gone, last = (queue.add(until, 1) for until in (9.0, 1.0, 5.0))
    gone.cancel()
    assert queue.admit_next()
    assert (was_admitted(first), was_admitted(last)) == (True, False)
    assert queue.admit_next()
    assert was_admitted(last)
    assert not queue.admit_next()


async def test_each_wait_ends_at_its_own_time() -> None:
    queue = PatientQueue()
    late, early = queue.add(9.0, 1), queue.add(5.0, 1)
    queue.end_waits(4.9)
    assert len(queue) == 2
    queue.end_waits(5.0)
    assert early.result() is False
    assert not was_admitted(early)
    assert not late.done()


@pytest.mark.parametrize("how", ["cancelled", "admitted", "late"])
async def test_there_is_room_again_once_a_request_is_gone(how: str) -> None:
    queue = PatientQueue()
    turn = queue.add(1.0, MOST_HELD)
    assert not queue.has_room(1)
    if how == "cancelled":
        turn.cancel()
    elif how == "admitted":
        assert queue.admit_next()
    else:
        queue.end_waits(1.0)
    queue.remove(turn, MOST_HELD)
    assert (len(queue), queue.has_room(MOST_HELD)) == (0, True)
