"""Requests are admitted in order, up to the limits, and every place is given back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from dvidpc.config import LimitsConfig
from dvidpc.errors import OverloadedError, StoreTimeoutError
from dvidpc.http.admission import Admission
from dvidpc.http.aiohttp_internals import count_bytes_sent
from dvidpc.http.patient_queue import MOST_HELD

LIMITS = LimitsConfig(max_in_flight=1, max_waiting=3, wait_timeout_s=5.0, request_deadline_s=30.0)


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Work:
    """A request whose handler ends when the test says so."""

    def __init__(self, admission: Admission) -> None:
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.request = make_mocked_request("GET", "/", writer=Writer())
        self.task = asyncio.create_task(admission.run(self.request, self.handle))

    async def handle(self) -> web.StreamResponse:
        self.begun.set()
        await self.end.wait()
        return web.Response(text="done")


class Writer(web.StreamResponse):
    """What `bytes_sent` reads of a request's writer."""

    output_size = 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


Start = Callable[[Admission], Awaitable[Work]]


@pytest_asyncio.fixture
async def start() -> Start:
    """Starts requests one after the other; each is being handled or waiting when this returns."""

    async def begin(admission: Admission) -> Work:
        work = Work(admission)
        await settle()
        return work

    return begin


async def settle() -> None:
    """Let the tasks run until each of them waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_are_handled_at_a_time(start: Start) -> None:
    admission = Admission(replace(LIMITS, max_in_flight=2))
    works = [await start(admission) for _ in range(4)]
    assert [work.begun.is_set() for work in works] == [True, True, False, False]
    assert (admission.in_flight, admission.waiting, admission.max_in_flight) == (2, 2, 2)
    for work in works:
        work.end.set()
    assert [(await work.task).status for work in works] == [200] * 4
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_the_queue_is_served_in_order(start: Start) -> None:
    admission = Admission(LIMITS)
    works = [await start(admission) for _ in range(4)]
    for number, work in enumerate(works):
        assert [one.begun.is_set() for one in works] == [True] * (number + 1) + [False] * (3 - number)
        work.end.set()
        await settle()


async def test_a_request_that_finds_the_queue_full_is_refused(start: Start) -> None:
    drawn = []

    def draw(low: int, high: int) -> int:
        drawn.append((low, high))
        return high

    admission = Admission(LIMITS, draw=draw)
    works = [await start(admission) for _ in range(5)]
    with pytest.raises(OverloadedError, match=r"3 requests are waiting already \(max_waiting\)") as caught:
        await works[4].task
    assert drawn == [(1, 3)]
    assert caught.value.retry_after_s == 3
    for work in works[:4]:
        work.end.set()
        assert (await work.task).status == 200


async def test_a_wait_ends_at_its_timeout_and_later_ones_go_on(clock: Clock, start: Start) -> None:
    admission = Admission(LIMITS, clock=clock)
    first, early = await start(admission), await start(admission)
    clock.now += 3
    late = await start(admission)
    clock.now += 1.9
    admission.sweep_once()
    assert admission.waiting == 2
    clock.now += 0.1
    admission.sweep_once()
    assert admission.waiting == 1
    with pytest.raises(OverloadedError, match=r"not admitted within 5\.0 s \(wait_timeout\)"):
        await early.task
    assert not early.begun.is_set()
    first.end.set()
    late.end.set()
    assert (await late.task).status == 200
    assert admission.in_flight == 0


async def test_a_request_past_its_deadline_is_cancelled_unless_it_has_begun_to_answer(
    clock: Clock, start: Start
) -> None:
    admission = Admission(replace(LIMITS, max_in_flight=2), clock=clock)
    silent, answering = await start(admission), await start(admission)
    count_bytes_sent(answering.request, 1)
    clock.now += 29.9
    admission.sweep_once()
    await settle()
    assert not silent.task.done()
    clock.now += 0.1
    admission.sweep_once()
    admission.sweep_once()
    with pytest.raises(StoreTimeoutError, match=r"no response within 30 s \(request_deadline\)"):
        await silent.task
    assert silent.task.cancelling() == 0
    assert not answering.task.done()
    assert admission.in_flight == 1
    answering.end.set()
    assert (await answering.task).status == 200


async def test_the_deadline_counts_from_arrival_so_that_waiting_is_part_of_it(
    clock: Clock, start: Start
) -> None:
    admission = Admission(replace(LIMITS, wait_timeout_s=100), clock=clock)
    first, second = await start(admission), await start(admission)
    clock.now += 30
    first.end.set()
    await settle()
    assert second.begun.is_set()
    admission.sweep_once()
    with pytest.raises(StoreTimeoutError):
        await second.task


async def test_a_request_cancelled_by_its_client_is_not_a_timeout(start: Start) -> None:
    admission = Admission(LIMITS)
    work = await start(admission)
    work.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work.task
    assert admission.in_flight == 0


async def test_a_client_that_leaves_the_queue_is_skipped(start: Start) -> None:
    admission = Admission(LIMITS)
    first, gone, last = await start(admission), await start(admission), await start(admission)
    gone.task.cancel()
    await settle()
    first.end.set()
    await settle()
    assert not gone.begun.is_set()
    assert last.begun.is_set()
    last.end.set()
    await last.task
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_client_that_leaves_just_as_it_is_admitted_gives_its_place_back(start: Start) -> None:
    admission = Admission(LIMITS)
    first, gone, last = await start(admission), await start(admission), await start(admission)
    admission.use(replace(LIMITS, max_in_flight=2))  # gives `gone` a place, which its task has not seen yet
    gone.task.cancel()
    await settle()
    assert not gone.begun.is_set()
    assert last.begun.is_set()
    assert admission.in_flight == 2
    for work in (first, last):
        work.end.set()
        await work.task
    assert admission.in_flight == 0


async def test_a_cancelled_request_leaves_no_place_taken_when_its_wait_times_out_too(
    clock: Clock, start: Start
) -> None:
    admission = Admission(LIMITS, clock=clock)
    first, gone = await start(admission), await start(admission)
    clock.now += 5
    admission.sweep_once()
    gone.task.cancel()
    await asyncio.wait([gone.task])
    assert admission.in_flight == 1
    first.end.set()
    await first.task
    assert admission.in_flight == 0


async def test_higher_limits_admit_those_that_wait(start: Start) -> None:
    admission = Admission(LIMITS)
    works = [await start(admission) for _ in range(4)]
    admission.use(replace(LIMITS, max_in_flight=3))
    await settle()
    assert [work.begun.is_set() for work in works] == [True, True, True, False]
    for work in works:
        work.end.set()
        await work.task
    assert (admission.in_flight, admission.max_in_flight) == (0, 3)


async def test_lower_limits_let_those_that_were_admitted_finish(start: Start) -> None:
    admission = Admission(replace(LIMITS, max_in_flight=3))
    works = [await start(admission) for _ in range(4)]
    admission.use(LIMITS)
    for number in range(3):
        assert not works[3].begun.is_set(), number
        works[number].end.set()
        await settle()
    assert works[3].begun.is_set()
    works[3].end.set()
    await works[3].task
    assert (admission.in_flight, admission.max_in_flight) == (0, 1)


async def test_nobody_is_admitted_while_memory_is_short(start: Start) -> None:
    reasons: list[str | None] = ["memory is short", None]
    admission = Admission(LIMITS, shortage=lambda: reasons.pop(0))
    with pytest.raises(OverloadedError, match="memory is short"):
        await (await start(admission)).task
    assert admission.in_flight == 0
    work = await start(admission)
    work.end.set()
    assert (await work.task).status == 200


async def test_a_handler_that_fails_gives_its_place_back(start: Start) -> None:
    admission = Admission(LIMITS)

    async def fail() -> web.StreamResponse:
        raise ValueError("handler")

    with pytest.raises(ValueError, match="handler"):
        await admission.run(make_mocked_request("GET", "/"), fail)
    work = await start(admission)
    assert work.begun.is_set()
    work.end.set()
    await work.task


async def test_the_timer_sweeps_until_it_is_cancelled(start: Start) -> None:
    admission = Admission(replace(LIMITS, wait_timeout_s=0))
    first, waiting = await start(admission), await start(admission)
    sweeping = asyncio.create_task(admission.sweep())
    with pytest.raises(OverloadedError, match="wait_timeout"):
        await waiting.task
    sweeping.cancel()
    await asyncio.wait([sweeping])
    first.end.set()
    await first.task


class Patient(Work):
    """A request that bears no refusal; `reason` says why it was answered without a place."""

    def __init__(self, admission: Admission, until: float = 1100.0, path: str = "/") -> None:
        self.reason: str | None = None
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.request = make_mocked_request("GET", path, writer=Writer())
        self.task = asyncio.create_task(
            admission.run_patiently(self.request, until, self.handle, self.be_late)
        )

    async def be_late(self, reason: str) -> web.StreamResponse:
        self.reason = reason
        return web.Response(text="late")


async def finish(*works: Work) -> None:
    for work in works:
        work.end.set()
        assert (await work.task).status == 200


async def test_a_patient_request_is_queued_however_full_the_queue_is(clock: Clock, start: Start) -> None:
    admission = Admission(LIMITS, clock=clock)
    ordinary = [await start(admission) for _ in range(4)]
    patient = [Patient(admission) for _ in range(50)]
    await settle()
    assert admission.waiting == 53
    with pytest.raises(OverloadedError, match="3 requests are waiting already"):
        await (await start(admission)).task
    clock.now += 99
    admission.sweep_once()
    assert admission.waiting == 50  # wait_timeout has ended the others
    for work in ordinary[1:]:
        with pytest.raises(OverloadedError, match="wait_timeout"):
            await work.task
    ordinary[0].task.cancel()  # it has exceeded request_deadline
    await asyncio.wait([ordinary[0].task])
    await finish(*patient)
    assert [work.reason for work in patient] == [None] * 50
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_patient_request_has_no_deadline_of_its_own(clock: Clock) -> None:
    admission = Admission(LIMITS, clock=clock)
    patient = Patient(admission)
    await settle()
    clock.now += 1000
    admission.sweep_once()
    await settle()
    assert not patient.task.done()
    await finish(patient)


async def test_a_patient_request_is_answered_without_a_place_when_its_patience_ends(
    clock: Clock, start: Start
) -> None:
    admission = Admission(replace(LIMITS, request_deadline_s=1000), clock=clock)
    first = await start(admission)
    patient = Patient(admission)
    await settle()
    clock.now += 100
    admission.sweep_once()
    assert (await patient.task).status == 200
    assert patient.reason == "not admitted within patient_wait_timeout"
    assert admission.in_flight == 1
    await finish(first)
    assert admission.in_flight == 0


async def test_a_patient_request_waits_while_memory_is_short(clock: Clock) -> None:
    short = True
    admission = Admission(LIMITS, clock=clock, shortage=lambda: "memory is short" if short else None)
    patient = Patient(admission)
    await settle()
    admission.sweep_once()
    await settle()
    assert (admission.in_flight, admission.waiting) == (0, 1)
    short = False
    admission.sweep_once()
    await settle()
    assert patient.begun.is_set()
    await finish(patient)
    assert admission.in_flight == 0


async def test_patient_and_ordinary_requests_take_turns(start: Start) -> None:
    admission = Admission(LIMITS)
    first = await start(admission)
    patient = [Patient(admission) for _ in range(3)]
    await settle()
    ordinary = [await start(admission) for _ in range(3)]
    order = []
    running: Work = first
    for _ in range(6):
        await finish(running)
        await settle()
        [running] = [work for work in [*patient, *ordinary] if work.begun.is_set() and not work.end.is_set()]
        order.append("patient" if isinstance(running, Patient) else "ordinary")
    await finish(running)
    assert order in (["patient", "ordinary"] * 3, ["ordinary", "patient"] * 3)


async def test_patient_requests_leave_places_for_the_others(start: Start) -> None:
    admission = Admission(replace(LIMITS, max_in_flight=8))
    patient = [Patient(admission) for _ in range(20)]
    await settle()
    assert sum(work.begun.is_set() for work in patient) == 6
    ordinary = [await start(admission) for _ in range(2)]
    assert [work.begun.is_set() for work in ordinary] == [True, True]
    await finish(*ordinary, *patient)
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_storm_of_patient_requests_holds_a_bounded_number_of_bytes(start: Start) -> None:
    admission = Admission(LIMITS)
    first = await start(admission)
    path = "/" + "0" * (MOST_HELD // 4)
    patient = [Patient(admission, path=path) for _ in range(5)]
    await settle()
    assert admission.waiting == 3
    assert [work.reason for work in patient] == [None] * 3 + ["too many requests are waiting"] * 2
    await finish(first, *patient)
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_patient_client_that_leaves_takes_no_place(start: Start) -> None:
    admission = Admission(LIMITS)
    first = await start(admission)
    gone, last = Patient(admission), Patient(admission)
    await settle()
    gone.task.cancel()
    await asyncio.wait([gone.task])
    assert admission.waiting == 1
    await finish(first)
    await settle()
    assert last.begun.is_set()
    await finish(last)
    assert admission.in_flight == 0


async def test_a_patient_client_that_leaves_just_as_it_is_admitted_gives_its_place_back(start: Start) -> None:
    admission = Admission(LIMITS)
    first = await start(admission)
    gone, last = Patient(admission), Patient(admission)
    await settle()
    admission.use(replace(LIMITS, max_in_flight=2))  # gives `gone` a place, which its task has not seen yet
    gone.task.cancel()
    await settle()
    assert not gone.begun.is_set()
    assert last.begun.is_set()
    await finish(first, last)
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_timers_may_rest_while_there_are_no_requests(start: Start) -> None:
    admission = Admission(replace(LIMITS, max_in_flight=2))
    assert not admission.busy.is_set()
    works = [await start(admission), await start(admission)]
    assert admission.busy.is_set()
    works[0].end.set()
    await works[0].task
    admission.sweep_once()
    assert admission.busy.is_set()
    works[1].end.set()
    await works[1].task
    assert admission.busy.is_set()
    admission.sweep_once()
    assert not admission.busy.is_set()
