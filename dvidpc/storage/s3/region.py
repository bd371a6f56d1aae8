"""Finds out in which region a bucket is."""

import logging
import re
from collections.abc import Mapping

import aiohttp
from yarl import URL

log = logging.getLogger(__name__)

_REGION = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
"""AWS's are in lower case; appliances have names such as `RegionOne`."""


async def ask_region(session: aiohttp.ClientSession, bucket_url: str, *, timeout_s: float) -> str | None:
    """Return the region that the service reports for the bucket; None if it reports none or does not answer.

    The request is unsigned and no redirect is followed. S3 answers whether or not we may read.
    (HeadBucket: `x-amz-bucket-region` is also sent with 301, 400 and 403.)
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    url = URL(bucket_url, encoded=True)
    try:
        async with session.head(url, allow_redirects=False, timeout=timeout) as response:
            return find_region(response.headers)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        log.debug("region of %s: not reported: %s", bucket_url, type(error).__name__)
        return None


def find_region(headers: Mapping[str, str]) -> str | None:
    """Return the region that a response of S3 names; None if it names none."""
    named = headers.get("x-amz-bucket-region", "")
    return named if _REGION.fullmatch(named) else None


def choose_region(*, configured: str | None, reported: str | None) -> str | None:
    """Return the region to use: the reported one, else the configured one; None if both are unknown."""
    return reported or configured


def log_region(store_url: str, *, configured: str | None, reported: str | None) -> None:
    """Log the region that the service reported, if the configuration does not name the same."""
    if reported is None or reported == configured:
        return
    if configured is None:
        log.info("%s is in region %s", store_url, reported)
    else:
        log.warning(
            '%s is in region %s, not in %s as configured; set region = "%s"',
            store_url,
            reported,
            configured,
            reported,
        )
