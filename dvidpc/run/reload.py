"""Read the configuration again on SIGHUP, without ending a request."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from dvidpc.config import Config, changed_stores, load_config, needs_restart
from dvidpc.dvid.services import Services
from dvidpc.errors import ConfigError
from dvidpc.http.connections import WatchedRunner
from dvidpc.log.set_up import set_up_logging
from dvidpc.run.certificate import Certificate
from dvidpc.sources.buckets import Buckets
from dvidpc.tasks import keep_running

log = logging.getLogger(__name__)

START_WAIT_S: Final = 4.0
"""How long the start, or a reload, waits for buckets, so that the first request is answered within 5 s.
Volumes whose bucket takes longer are served once it has answered."""


class Reloading:
    """Replaces the configuration of a running server."""

    def __init__(self, config: Config, services: Services, buckets: Buckets) -> None:
        self._config = config
        self._services = services
        self._buckets = buckets

    @property
    def source(self) -> Path | None:
        """The file to read again; None if there is none."""
        return self._config.path if self._config.is_file else None

    async def use(self, config: Config) -> None:
        """Serve what *config* says; log what of it needs a restart."""
        self._buckets.use(config)
        for name in needs_restart(self._config, config):
            log.warning("%s has changed; that needs a restart", name)
        changed = changed_stores(self._config, config)
        self._config = config
        self._services.limits = config.limits
        self._services.config_text = config.text
        self._services.public.use(config.stores)
        self._services.admission.use(config.limits)
        await self._services.volumes.replace(self._buckets.volumes, changed, START_WAIT_S)


RELOADING: Final = web.AppKey("reloading", Reloading)


@contextmanager
def reloading_on_sighup(
    reloading: Reloading, runner: WatchedRunner, certificate: Certificate | None
) -> Iterator[None]:
    """Read the configuration, and the *certificate* if there is one, again on each SIGHUP.

    Nothing that happens during a reload ends this: the next SIGHUP is always heard.
    """
    loop = asyncio.get_running_loop()
    requested = asyncio.Event()

    async def reload() -> None:
        while True:
            await requested.wait()
            requested.clear()
            if certificate is not None:
                await certificate.reload()
            await reload_config(reloading, runner)

    loop.add_signal_handler(signal.SIGHUP, requested.set)
    task = keep_running("reload of the configuration", reload, restart_after_s=0.0)
    try:
        yield
    finally:
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        task.cancel()


async def reload_config(reloading: Reloading, runner: WatchedRunner) -> None:
    """Serve what the file says now; keep the configuration, and log why, if the file cannot be used."""
    if reloading.source is None:
        log.info("there is no configuration to read again: the volumes were named on the command line")
        return
    try:
        config = await asyncio.to_thread(load_config, reloading.source)
        set_up_logging(config.logging.settings, announce=False)
        await reloading.use(config)
    except (ConfigError, OSError) as error:
        log.error("the configuration stays as it was: %s", error)
        return
    runner.watch(config.limits)
    for warning in config.warnings:
        log.warning("%s", warning)
    log.info("configuration read again")
