"""The objects that handlers use, stored on the application under one key."""

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
from dvidpc.dvid.documents.encoded import EncodedDocuments
from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.dvid.documents.server_documents import LoadCounters, ServerFacts
from dvidpc.dvid.public import PublicData
from dvidpc.http.access_log import AccessLog
from dvidpc.http.admission import Admission
from dvidpc.http.block_list import BlockList
from dvidpc.volume.prefetch import Prefetcher


@dataclass(slots=True)
class Services:
    """Everything a handler may need. A reload of the configuration replaces the fields that depend on it."""

    repo: Repo
    public: PublicData
    encoded: EncodedDocuments
    facts: ServerFacts
    load: Callable[[], LoadCounters]
    """Returns the current figures."""
    users: UserLatencies
    access_log: AccessLog
    limits: LimitsConfig
    admission: Admission
    volumes: Volumes
    health: HealthChecks
    prefetcher: Prefetcher
    config_text: bytes
    """The text of the configuration file, which administrators may read."""
    admin_token: str | None
    """The token that administrators send; None if there are no administrators."""
    block_list: BlockList
    """Users and addresses that are refused."""
    disk_trouble: Callable[[], str | None]
    """Returns why the disk cache keeps nothing now; None if it does, or if there is none."""
    base_path: str
    """Prefix of every path; empty if there is none."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server begins to stop."""
    large_images: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while a large image is encoded, which takes a second or more."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""


SERVICES: Final = web.AppKey("services", Services)
