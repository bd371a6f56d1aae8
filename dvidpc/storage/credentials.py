"""Keeps the secret that signs requests: looks it up, and again before it expires or after a refusal."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dvidpc.errors import CredentialsError, DvidpcError, StoreError

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 240.0
"""How long a secret is used before it is looked up again. A changed dotfile may go unnoticed for so long,
if the old secret still works."""
AHEAD_OF_EXPIRY_S = 60.0
PAUSE_S = 10.0
"""The shortest time between look-ups after refusals, and after a failed look-up."""
LOOK_UP_TIMEOUT_S = 15.0
_SLOW = "look at the helper program or the service that gives them, and at the network"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret to sign requests with."""

    values: Mapping[str, str | None] = field(repr=False)
    """Its parts, named as the service's signer names them."""
    expires_at: float | None
    """Seconds since the epoch; None if it is not known to expire."""


class LookUp(Protocol):
    """Looks up a secret by one vendor's rules."""

    async def __call__(self, *, force: bool) -> Secret:
        """Return the secret to use now.

        Args:
            force: Read everything again; else an earlier result may be returned while it is valid.

        Raises:
            StoreError: There is none, or it cannot be looked up now; the message says where it was sought.
        """

    async def close(self) -> None:
        """Release connections."""


class Credentials:
    """The secret of one store. Any task may call it; tasks that need a look-up share the one in flight.

    If a look-up fails while the last secret is valid, that secret stays in use and the look-up is retried
    later.
    """

    def __init__(self, look_up: LookUp, *, clock: Callable[[], float] = time.time) -> None:
        self._look_up = look_up
        self._clock = clock
        self._secret: Secret | None = None
        self._failure: str | None = None
        """Why there is no secret that can be used; None if there is one, or none was looked for."""
        self._look_again_at = 0.0
        self._renew_from = 0.0
        self._in_flight: asyncio.Task[None] | None = None
        self._generation = 0

    @property
    def generation(self) -> int:
        """A number that grows with each new secret."""
        return self._generation

    def values(self) -> Mapping[str, str | None]:
        """Return the secret's parts, all of one look-up; empty before `ensure`. Any thread may call this."""
        secret = self._secret
        return secret.values if secret else {}

    async def ensure(self) -> None:
        """Look the secret up if it is due; return when it can be used.

        Raises:
            StoreError: There is none.
        """
        if self._clock() >= self._look_again_at:
            await self._share_look_up(force=False)
        elif self._failure is not None:
            raise CredentialsError(self._failure)

    async def renew(self, refused: int) -> bool:
        """Look for another secret than the one of generation *refused*; return whether there is one now."""
        if refused == self._generation and (self._in_flight or self._clock() >= self._renew_from):
            self._renew_from = self._clock() + PAUSE_S
            await self._share_look_up(force=True)
        return refused != self._generation

    async def close(self) -> None:
        """Cancel a look-up in flight, and forget the secret."""
        if self._in_flight is not None:
            self._in_flight.cancel()
            with contextlib.suppress(asyncio.CancelledError, StoreError):
                await self._in_flight
        self._secret = None
        await self._look_up.close()

    async def _share_look_up(self, *, force: bool) -> None:
        if self._in_flight is None:
            self._in_flight = asyncio.create_task(self._refresh(force=force))
            self._in_flight.add_done_callback(self._end_look_up)
        look_up = self._in_flight
        try:
            await asyncio.shield(look_up)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if look_up.cancelled() and task is not None and not task.cancelling():
                raise StoreError("credentials cannot be looked up: the store is closed") from None
            raise

    def _end_look_up(self, task: asyncio.Task[None]) -> None:
        self._in_flight = None
        if not task.cancelled():
            task.exception()  # mark it as retrieved: all who waited may have been cancelled

    async def _refresh(self, *, force: bool) -> None:
        try:
            secret = await self._look_up_in_time(force=force)
        except StoreError as error:
            self._look_again_at = self._clock() + PAUSE_S
            if self._secret is None or self._clock() >= (self._secret.expires_at or float("inf")):
                self._failure = str(error)
                raise
            log.warning("credentials not renewed: %s; the last ones stay in use", error)
            return
        self._failure = None
        if self._secret is None or secret.values != self._secret.values:
            self._generation += 1
        self._secret = secret
        self._look_again_at = self._clock() + self._use_for_s(secret)

    async def _look_up_in_time(self, *, force: bool) -> Secret:
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                return await self._look_up(force=force)
        except TimeoutError as error:
            raise CredentialsError(
                f"credentials were not found within {LOOK_UP_TIMEOUT_S:g} s", _SLOW
            ) from error
        except DvidpcError:
            raise
        except Exception as error:  # the border to vendors' libraries, which run helpers and read dotfiles
            raise CredentialsError(f"credentials cannot be looked up ({type(error).__name__})") from error

    def _use_for_s(self, secret: Secret) -> float:
        if secret.expires_at is None:
            return LOOK_AGAIN_S
        return min(LOOK_AGAIN_S, max(0.0, secret.expires_at - AHEAD_OF_EXPIRY_S - self._clock()))


async def sign_in(look_up: LookUp) -> Credentials:
    """Return credentials that have been looked up.

    Raises:
        StoreError: There are none.
    """
    credentials = Credentials(look_up)
    try:
        await credentials.ensure()
    except BaseException:
        await credentials.close()
        raise
    return credentials


def clean_value(store_url: str, name: str, value: object) -> str | None:
    """Return a part of a secret without the line break that editors and secret stores append.

    Raises:
        CredentialsError: It is no text that a header can hold; *name* says which part it is.
    """
    if value is None:
        return None
    cleaned = value.strip() if isinstance(value, str) else "\n"
    if not cleaned.isascii() or not cleaned.isprintable():
        raise CredentialsError(
            f"{store_url}: the {name} is no text that a header can hold (a line break?)",
            "write it again in the environment or the file that it comes from",
        )
    return cleaned
