"""What every web page may read: the data of stores that need no credentials, `anonymous = true`."""

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

from dvidpc.config import StoreConfig
from dvidpc.data.instance import Data, Instance
from dvidpc.data.repo import Repo

_CUT: Final = ("/api/repos/info", "/api/repo/{uuid}/info")
"""Ends of the documents that leave private instances out where a stranger asks; clients need one of them."""


class PublicData:
    """Which instances are public; those of the other stores are private."""

    def __init__(self, repo: Repo, stores: Iterable[StoreConfig]) -> None:
        """Make those of *repo* public that come from an `anonymous` one of *stores*."""
        self._repo = repo
        self.use(stores)

    def use(self, stores: Iterable[StoreConfig]) -> None:
        """Follow a configuration that was read again."""
        served = [store for store in stores if store.instance is not None]
        self.aliases: frozenset[str] = frozenset(store.alias for store in served if store.anonymous)
        """The stores whose instances are public."""
        self.is_all = bool(served) and all(store.anonymous for store in served)
        """Whether nothing is private."""

    @property
    def instances(self) -> Mapping[str, Instance[Data]]:
        """The public instances by name."""
        return {name: one for name, one in self._repo.instances.items() if one.store_alias in self.aliases}

    def holds(self, request: web.BaseRequest) -> bool:
        """Return whether the response to *request*, of a stranger, holds nothing private."""
        if self.is_all:
            return True
        if not self.aliases or not isinstance(request, web.Request):
            return False
        match = request.match_info
        if "data" in match:
            instance = self._repo.instances.get(match["data"])
            return instance is not None and instance.store_alias in self.aliases
        resource = match.route.resource
        return resource is not None and resource.canonical.rstrip("/").endswith(_CUT)
