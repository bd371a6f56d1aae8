"""What the handlers work with, hung on the application under one key."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from dvidpc.config import LimitsConfig
from dvidpc.data.health import HealthChecks
from dvidpc.data.repo import Repo
from dvidpc.data.volumes import Volumes
from dvidpc.dvid.documents.bodies import LoadCounters, ServerFacts
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.http.access_log import AccessLog
from dvidpc.http.admission import Admission
from dvidpc.http.block_list import BlockList
from dvidpc.volume.prefetch import Prefetcher


@dataclass(slots=True)
class Services:
    """Everything a handler may need; what the configuration says is exchanged when that is read again."""

    repo: Repo
    encoded: EncodedDocuments
    facts: ServerFacts
    load: Callable[[], LoadCounters]
    """The numbers as they are now."""
    users: UserLatencies
    access_log: AccessLog
    limits: LimitsConfig
    admission: Admission
    volumes: Volumes
    health: HealthChecks
    prefetcher: Prefetcher
    config_text: bytes
    """The configuration file as it was read; administrators may see it."""
    admin_token: str | None
    """What makes a request an administrator's; None: nobody is one."""
    block_list: BlockList
    """Who is refused."""
    base_path: str
    """What stands before every path; empty: nothing."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the server was told to stop."""
    large_images: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while an image is encoded that takes a second or more."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""


SERVICES: Final = web.AppKey("services", Services)
