"""Lists S3 buckets by aiobotocore's paginator."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import aiohttp
from botocore.exceptions import ClientError

from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.listing import PAGE_SIZE, BucketLister, StoredObject
from dvidpc.storage.ref import Ref
from dvidpc.storage.s3.s3_access import S3Place, open_s3_session, reach_s3
from dvidpc.storage.s3.s3_client import (
    AwsClient,
    expected_region_of,
    make_library,
    open_client,
    translate_listing_errors,
)
from dvidpc.storage.shared import Shared

_IN_LISTINGS = frozenset({"Contents", "IsTruncated", "KeyCount", "Name"})
"""At least one of these is in every page, of every service."""


async def list_s3(
    ref: Ref, access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], shared: Shared
) -> BucketLister:
    """Open an S3 bucket for listing; see `open_lister`."""
    place = await reach_s3(ref, access, limits, environ, shared)
    session = open_s3_session(place, limits, environ)
    pages = S3Pages(place, session, requester_pays=access.requester_pays)
    return BucketLister(pages, url=ref.url, prefix=ref.prefix)


class S3Pages:
    """A `PageSource` over an S3 bucket."""

    def __init__(self, place: S3Place, session: aiohttp.ClientSession, *, requester_pays: bool) -> None:
        """List a bucket.

        Args:
            place: The bucket and the credentials, which are released with this source.
            session: Sends the requests; closed with this source.
            requester_pays: Whether to accept that the reader is billed.
        """
        self._place = place
        self._session = session
        self._library = make_library()
        self._has_learned = False
        self._question = {"Bucket": place.address.bucket}
        if requester_pays:
            self._question["RequestPayer"] = "requester"

    async def pages(self, name: str, prefix: str, after: str | None) -> AsyncIterator[Sequence[StoredObject]]:
        """As `PageSource.pages`. When the credentials change, the listing goes on with a new client."""
        last, complete = after, False
        while not complete:
            with translate_listing_errors(name), self._learning_region():
                async with open_client("s3", self._place, self._session, self._library) as client:
                    signed_with = self._generation
                    async for page in self._paginate(client, prefix, last):
                        last = page[-1].key if page else last
                        yield page
                        if await self._renewed(signed_with):
                            break
                    else:
                        complete = True

    @contextmanager
    def _learning_region(self) -> Iterator[None]:
        """Take over the region that the service names in a refusal, once; the listing then goes on."""
        try:
            yield
        except ClientError as error:
            region = expected_region_of(error)
            if self._has_learned or region in {"", self._place.address.region}:
                raise
            self._has_learned = True
            self._place = replace(self._place, address=replace(self._place.address, region=region))

    async def close(self) -> None:
        """Close the connections and release the credentials."""
        await self._session.close()
        if self._place.credentials is not None:
            await self._place.credentials.close()

    async def _paginate(
        self,
        client: AwsClient,
        prefix: str,
        after: str | None,
    ) -> AsyncIterator[Sequence[StoredObject]]:
        question = {**self._question, "Prefix": prefix} | ({"StartAfter": after} if after else {})
        paginator = client.get_paginator("list_objects_v2")
        async for answer in paginator.paginate(**question, PaginationConfig={"PageSize": PAGE_SIZE}):
            if not _IN_LISTINGS & answer.keys():
                raise ValueError("botocore reads any XML or an empty body as a listing of nothing")
            yield [StoredObject(entry["Key"], int(entry["Size"])) for entry in answer.get("Contents", [])]

    @property
    def _generation(self) -> int:
        return self._place.credentials.generation if self._place.credentials else 0

    async def _renewed(self, signed_with: int) -> bool:
        """Look the credentials up if that is due; return whether they are others than before."""
        if self._place.credentials is not None:
            await self._place.credentials.ensure()
        return self._generation != signed_with
