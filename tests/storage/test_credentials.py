"""When a secret is looked up."""

import asyncio

import pytest

from dvidpc.errors import CredentialsError, StoreError, StoreRefusedError
from dvidpc.storage.credentials import AHEAD_OF_EXPIRY_S, LOOK_AGAIN_S, PAUSE_S, Credentials, Secret


class Keyring:
    """A `LookUp` whose answer a test sets; counts."""

    def __init__(self, expires_at: float | None = None) -> None:
        self.secret: str | StoreError = "first"
        self.expires_at = expires_at
        self.calls: list[bool] = []
        self.closed = False

    async def __call__(self, *, force: bool) -> Secret:
        self.calls.append(force)
        await asyncio.sleep(0)
        if isinstance(self.secret, StoreError):
            raise self.secret
        return Secret({"token": self.secret}, self.expires_at)

    async def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_overlapping_tasks_share_one_look_up(clock: Clock) -> None:
    keyring = Keyring()
    credentials = Credentials(keyring, clock=clock)
    await asyncio.gather(*(credentials.ensure() for _ in range(20)))
    assert keyring.calls == [False]
    assert credentials.values() == {"token": "first"}


async def test_static_secret_is_looked_up_again_after_some_minutes(clock: Clock) -> None:
    keyring = Keyring()
    credentials = Credentials(keyring, clock=clock)
    await credentials.ensure()
    keyring.secret = "second"
    clock.now += LOOK_AGAIN_S - 1
    await credentials.ensure()
    assert credentials.values() == {"token": "first"}
    clock.now += 1
    await credentials.ensure()
    assert credentials.values() == {"token": "second"}


async def test_expiring_secret_is_looked_up_ahead_of_time(clock: Clock) -> None:
    keyring = Keyring(expires_at=clock.now + 100)
    credentials = Credentials(keyring, clock=clock)
    await credentials.ensure()
    clock.now += 100 - AHEAD_OF_EXPIRY_S
    await credentials.ensure()
    assert len(keyring.calls) == 2


async def test_failed_look_up_leaves_a_valid_secret(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    keyring = Keyring(expires_at=clock.now + 1000)
    credentials = Credentials(keyring, clock=clock)
    await credentials.ensure()
    keyring.secret = StoreError("the metadata server is away")
    clock.now += LOOK_AGAIN_S
    await credentials.ensure()
    await credentials.ensure()
    assert len(keyring.calls) == 2
    assert credentials.values() == {"token": "first"}
    assert "the metadata server is away" in caplog.text
    clock.now += 1000
    with pytest.raises(StoreError):
        await credentials.ensure()


async def test_helper_is_not_run_for_each_request_while_there_is_no_secret(clock: Clock) -> None:
    keyring = Keyring()
    keyring.secret = CredentialsError("the metadata server is away", "look at it")
    credentials = Credentials(keyring, clock=clock)
    for _ in range(3):
        with pytest.raises(CredentialsError, match="away; look at it"):
            await credentials.ensure()
    assert len(keyring.calls) == 1
    clock.now += PAUSE_S
    keyring.secret = "second"
    await credentials.ensure()
    assert credentials.values() == {"token": "second"}
    await credentials.ensure()
    assert len(keyring.calls) == 2


@pytest.mark.parametrize("raised", [LookupError("hunter2"), ValueError("hunter2"), RuntimeError()])
async def test_what_a_library_raises_is_an_error_of_the_store(clock: Clock, raised: Exception) -> None:
    class Library(Keyring):
        async def __call__(self, *, force: bool) -> Secret:
            self.calls.append(force)
            raise raised

    with pytest.raises(CredentialsError, match=rf"cannot be looked up \({type(raised).__name__}\)") as caught:
        await Credentials(Library(), clock=clock).ensure()
    assert "hunter2" not in str(caught.value)


async def test_refusal_makes_for_one_look_up_and_then_a_pause(clock: Clock) -> None:
    keyring = Keyring()
    credentials = Credentials(keyring, clock=clock)
    await credentials.ensure()
    refused = credentials.generation
    assert not any(await asyncio.gather(*(credentials.renew(refused) for _ in range(5))))
    assert keyring.calls == [False, True]
    keyring.secret = "second"
    assert not await credentials.renew(refused)
    clock.now += PAUSE_S
    assert await credentials.renew(refused)
    assert await credentials.renew(refused), "others who were refused the old one profit too"
    assert keyring.calls == [False, True, True]


async def test_missing_secret_is_an_error_for_every_waiting_task(clock: Clock) -> None:
    keyring = Keyring()
    keyring.secret = StoreRefusedError("nobody home")
    credentials = Credentials(keyring, clock=clock)
    results = await asyncio.gather(*(credentials.ensure() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [StoreRefusedError] * 3
    assert len(keyring.calls) == 1


async def test_cancelled_task_does_not_stop_the_others(clock: Clock) -> None:
    credentials = Credentials(Keyring(), clock=clock)
    first, second = (asyncio.create_task(credentials.ensure()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert credentials.values() == {"token": "first"}


async def test_close_stops_the_look_up_and_forgets(clock: Clock) -> None:
    keyring = Keyring()
    credentials = Credentials(keyring, clock=clock)
    waiting = asyncio.create_task(credentials.ensure())
    await asyncio.sleep(0)
    await credentials.close()
    assert keyring.closed
    assert credentials.values() == {}
    with pytest.raises(StoreError, match="closed"):
        await waiting


def test_secret_is_not_shown() -> None:
    assert "hunter2" not in repr(Secret({"token": "hunter2"}, None))
