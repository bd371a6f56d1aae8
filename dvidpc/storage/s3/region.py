"""Finds out in which region a bucket lies."""

import logging
import re
from collections.abc import Mapping

import aiohttp
from yarl import URL

log = logging.getLogger(__name__)

_REGION = re.compile(r"[a-z0-9-]{1,32}")


async def ask_region(session: aiohttp.ClientSession, bucket_url: str, *, timeout_s: float) -> str | None:
    """The region that the service names for the bucket; None if it names none or cannot be asked.

    The question is not signed and no redirect is followed; S3 answers it whatever our rights are.
    (HeadBucket: `x-amz-bucket-region` is also sent with 301, 400 and 403.)
    """
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    url = URL(bucket_url, encoded=True)
    try:
        async with session.head(url, allow_redirects=False, timeout=timeout) as response:
            return find_region(response.headers)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        log.debug("%s does not tell its region: %s", bucket_url, type(error).__name__)
        return None


def find_region(headers: Mapping[str, str]) -> str | None:
    """The region that an answer of S3 names; None if it names none."""
    named = headers.get("x-amz-bucket-region", "")
    return named if _REGION.fullmatch(named) else None


def choose_region(store_url: str, *, configured: str | None, told: str | None) -> str | None:
    """Which region to use; None if nobody knows. What the service tells prevails, and is logged once."""
    if told is None or told == configured:
        return configured
    if configured is None:
        log.info("%s lies in region %s", store_url, told)
    else:
        log.warning("%s lies in region %s, not in %s as configured", store_url, told, configured)
    return told
