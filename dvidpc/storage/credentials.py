"""Keeps what requests are signed with: looks it up, again before it expires, and anew after a refusal."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dvidpc.errors import StoreError, StoreTimeoutError

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 240.0
"""How long a secret is used before it is looked up again: so long may a changed dotfile go unnoticed
while the old secret still works."""
AHEAD_OF_EXPIRY_S = 60.0
PAUSE_S = 10.0
"""Between look-ups that refusals ask for, and after one that failed."""
LOOK_UP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Secret:
    """What requests are signed with."""

    values: Mapping[str, str | None] = field(repr=False)
    """Under the names that the service's signer gives them."""
    expires_at: float | None
    """Seconds since the epoch; None: not known to expire."""


class LookUp(Protocol):
    """Finds out who we are, by one vendor's rules."""

    async def __call__(self, *, anew: bool) -> Secret:
        """The secret that holds now.

        Args:
            anew: Read everything again; else what was found before may serve as long as it is valid.

        Raises:
            StoreError: There is none, or it cannot be had; the message says where it was looked for.
        """

    async def close(self) -> None:
        """Let go of connections."""


class Credentials:
    """The secret of one store. Any task may ask; tasks that need a look-up share the one under way.

    A look-up that fails while the last secret is still valid changes nothing: it is tried again later.
    """

    def __init__(self, look_up: LookUp, *, clock: Callable[[], float] = time.time) -> None:
        self._look_up = look_up
        self._clock = clock
        self._secret: Secret | None = None
        self._look_again_at = 0.0
        self._renew_from = 0.0
        self._under_way: asyncio.Task[None] | None = None
        self._generation = 0

    @property
    def generation(self) -> int:
        """Which secret this is; another number, another secret."""
        return self._generation

    def values(self) -> Mapping[str, str | None]:
        """The secret's parts, of one look-up; empty before `ensure`. Any thread may ask."""
        secret = self._secret
        return secret.values if secret else {}

    async def ensure(self) -> None:
        """Return when the secret can be used.

        Raises:
            StoreError: There is none.
        """
        if self._clock() >= self._look_again_at:
            await self._share_look_up(anew=False)

    async def renew(self, refused: int) -> bool:
        """After the service refused the secret of generation *refused*: whether there is another now."""
        if refused == self._generation and (self._under_way or self._clock() >= self._renew_from):
            self._renew_from = self._clock() + PAUSE_S
            await self._share_look_up(anew=True)
        return refused != self._generation

    async def close(self) -> None:
        """Stop looking, and forget the secret."""
        if self._under_way is not None:
            self._under_way.cancel()
            with contextlib.suppress(asyncio.CancelledError, StoreError):
                await self._under_way
        self._secret = None
        await self._look_up.close()

    async def _share_look_up(self, *, anew: bool) -> None:
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._refresh(anew=anew))
            self._under_way.add_done_callback(self._end_look_up)
        look_up = self._under_way
        try:
            await asyncio.shield(look_up)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if look_up.cancelled() and task is not None and not task.cancelling():
                raise StoreError("credentials are no longer looked up: the store is closed") from None
            raise

    def _end_look_up(self, task: asyncio.Task[None]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # who waited has it; nobody may have waited until the end

    async def _refresh(self, *, anew: bool) -> None:
        try:
            secret = await self._look_up_in_time(anew=anew)
        except StoreError as error:
            if self._secret is None or self._clock() >= (self._secret.expires_at or float("inf")):
                raise
            log.warning("%s; what was found before is used on", error)
            self._look_again_at = self._clock() + PAUSE_S
            return
        if self._secret is None or secret.values != self._secret.values:
            self._generation += 1
        self._secret = secret
        self._look_again_at = self._clock() + self._use_for_s(secret)

    async def _look_up_in_time(self, *, anew: bool) -> Secret:
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                return await self._look_up(anew=anew)
        except TimeoutError as error:
            raise StoreTimeoutError(f"credentials were not found within {LOOK_UP_TIMEOUT_S:g} s") from error

    def _use_for_s(self, secret: Secret) -> float:
        if secret.expires_at is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.0, secret.expires_at - AHEAD_OF_EXPIRY_S - self._clock()))
