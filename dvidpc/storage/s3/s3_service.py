"""Prepares signed requests for the objects of an S3 bucket, and learns from refused ones."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from yarl import URL

from dvidpc.storage.credentials import Credentials
from dvidpc.storage.http.service import Asking, Refusal
from dvidpc.storage.s3.region import find_region
from dvidpc.storage.s3.s3_address import BucketAddress
from dvidpc.storage.s3.sigv4 import Signer, moment_at

log = logging.getLogger(__name__)

_EXPIRED = frozenset({"ExpiredToken", "InvalidToken", "InvalidTokenId", "TokenRefreshRequired"})
"""Error codes of a status 400 that new credentials may fix."""


class S3Service:
    """An `HttpService` of one bucket."""

    def __init__(
        self,
        store_url: str,
        address: BucketAddress,
        prefix: str,
        credentials: Credentials | None,
        *,
        requester_pays: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare requests for objects below *prefix* of a bucket.

        Args:
            store_url: How messages name bucket and prefix.
            address: Where the bucket is.
            prefix: Without a `/` at either end.
            credentials: What to sign with; None for unsigned requests.
            requester_pays: Whether to accept that the reader is billed.
            clock: Seconds since the epoch.
        """
        self._store_url = store_url
        self._prefix = f"{quote(prefix)}/" if prefix else ""
        self._credentials = credentials
        self._headers = {"x-amz-request-payer": "requester"} if requester_pays else {}
        self._clock = clock
        self._ahead_s = 0.0
        self._signer: Signer | None = None
        self._settle(address)

    async def prepare(self, key: str) -> Asking:
        """As `HttpService.prepare`."""
        url = URL(f"{self._base}{quote(key)}", encoded=True)
        if self._credentials is None:
            return Asking(url, self._headers, made_with=self._made_with)
        await self._credentials.ensure()
        moment = moment_at(self._clock() + self._ahead_s)
        signer = self._signer_for(self._credentials.values(), moment[:8])
        headers = signer.sign_get(self._host, url.raw_path, moment, self._headers)
        return Asking(url, headers, self._credentials.generation, self._made_with)

    async def renew(self, asking: Asking, refusal: Refusal) -> bool:
        """As `HttpService.renew`: take over the service's region or clock, or look up other credentials."""
        self._learn_region(refusal)
        if refusal.code == "RequestTimeTooSkewed":
            self._learn_time(refusal)
        elif self._credentials is not None and _may_be_credentials(refusal):
            await self._credentials.renew(asking.generation)
        generation = self._credentials.generation if self._credentials else 0
        return (generation, self._made_with) != (asking.generation, asking.made_with)

    async def close(self) -> None:
        """Release the credentials."""
        self._signer = None
        if self._credentials is not None:
            await self._credentials.close()

    @property
    def _made_with(self) -> tuple[str, float]:
        return self._address.region, self._ahead_s

    def _settle(self, address: BucketAddress) -> None:
        base = URL(address.url.rstrip("/"))
        self._address = address
        self._base = f"{str(base).rstrip('/')}/{self._prefix}"
        self._host = base.host_port_subcomponent or ""

    def _signer_for(self, values: Mapping[str, str | None], day: str) -> Signer:
        signer = Signer(
            values.get("access_key_id") or "",
            values.get("secret_access_key") or "",
            values.get("token"),
            self._address.region,
            day,
        )
        if signer != self._signer:
            self._signer = signer  # else keep the last one, which has derived its key already
        return self._signer

    def _learn_region(self, refusal: Refusal) -> None:
        region = refusal.region or find_region(refusal.headers)
        if region and region != self._address.region:
            log.info("%s is in region %s", self._store_url, region)
            self._settle(replace(self._address, region=region))

    def _learn_time(self, refusal: Refusal) -> None:
        """Sign by the service's clock from now on, which is in the refusal's `Date`."""
        try:
            service_time = parsedate_to_datetime(refusal.headers.get("Date", "")).timestamp()
        except (ValueError, OverflowError):
            return
        self._ahead_s = service_time - self._clock()
        log.warning(
            "clock is wrong: %s: it differs from the service's by %d s, and requests are signed with the "
            "service's time; set the clock of this machine",
            self._store_url,
            abs(self._ahead_s),
        )


def _may_be_credentials(refusal: Refusal) -> bool:
    """Return whether other credentials may help."""
    return refusal.status in {401, 403} or (refusal.status == 400 and refusal.code in _EXPIRED)
