"""Opens aiobotocore's clients over our own HTTP session; see `aws_http`."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from dvidpc.errors import StoreError
from dvidpc.storage.http.connection_errors import translate_connection_errors
from dvidpc.storage.http.http_errors import listing_error_of
from dvidpc.storage.http.routed_client import RoutedClient
from dvidpc.storage.http.service import Refusal, find_expected_region
from dvidpc.storage.s3.aws_http import send_prepared
from dvidpc.storage.s3.s3_access import S3Place

AwsClient: TypeAlias = Any
"""A client of aiobotocore, which is untyped and makes its methods at run time."""


def make_library() -> AioSession:
    """Return a session for clients, which reads neither dotfiles nor `AWS_PROFILE`: all is said already."""
    return AioSession(
        {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )


@asynccontextmanager
async def open_client(
    service: str, place: S3Place, session: aiohttp.ClientSession | RoutedClient, library: AioSession
) -> AsyncIterator[AwsClient]:
    """Open a client for *service*, `s3` or `sts`, that makes one attempt for each call.

    It signs with the credentials of this moment, and never with later ones.

    Args:
        service: As botocore names it. `sts` is always AWS's own.
        place: The bucket and the credentials.
        session: Sends the requests.
        library: Keeps the descriptions of services: the second client opens in a tenth of the time.
    """
    address = place.address
    values: Mapping[str, str | None] = {}
    signature: object = UNSIGNED
    if place.credentials is not None:
        await place.credentials.ensure()
        values = place.credentials.values()
        signature = "s3v4" if service == "s3" else "v4"
    config = AioConfig(
        signature_version=signature,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path" if address.path_style else "virtual"},
    )
    async with library.create_client(
        service,
        region_name=address.region,
        endpoint_url=address.service if service == "s3" else None,
        aws_access_key_id=values.get("access_key_id"),
        aws_secret_access_key=values.get("secret_access_key"),
        aws_session_token=values.get("token"),
        config=config,
    ) as client:
        client.meta.events.register("before-send", _Transport(session))
        client.meta.events.register("before-call.s3", _mark_redirected)
        yield client


@contextmanager
def translate_listing_errors(name: str) -> Iterator[None]:
    """Raise `StoreError`s in place of what aiobotocore raises for a listing of the directory *name*."""
    try:
        with translate_connection_errors(name, "listed"):
            yield
    except ClientError as error:
        raise listing_error_of(name, refusal_of(error)) from error
    except BotoCoreError as error:
        raise StoreError(f"{name} cannot be listed: {type(error).__name__} of botocore") from error
    except (ResponseParserError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoreError(f"{name} cannot be listed: the response is not a listing") from error


def refusal_of(error: ClientError) -> Refusal:
    """Return status, headers and code of an error response."""
    metadata = error.response.get("ResponseMetadata", {})
    headers = {key.title(): value for key, value in metadata.get("HTTPHeaders", {}).items()}
    code = error.response.get("Error", {}).get("Code")
    return Refusal(int(metadata.get("HTTPStatusCode", 0)), headers, str(code or ""))


def expected_region_of(error: ClientError) -> str:
    """Return the region that a refusal wants requests to be signed for; empty if it names none."""
    said = error.response.get("Error", {})
    if said.get("Code") != "AuthorizationHeaderMalformed":
        return ""
    text = f"{said.get('Message')}<Region>{said.get('Region')}</Region>"
    return find_expected_region(text.encode(), None)


class _Transport:
    """Sends a prepared request by our client; botocore calls it instead of using a session of its own."""

    def __init__(self, client: aiohttp.ClientSession | RoutedClient) -> None:
        self._client = client

    async def __call__(self, request: AWSPreparedRequest, **_: object) -> AioAWSResponse:
        return await send_prepared(self._client, request)


def _mark_redirected(context: dict[str, Any], **_: object) -> None:
    """Make botocore believe that it has followed one redirect, so that it follows none to another region."""
    context.setdefault("s3_redirect", {})["redirected"] = True
