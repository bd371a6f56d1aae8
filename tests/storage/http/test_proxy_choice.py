"""Which proxy of the environment is used for which address."""

import pytest
from aiohttp import web
from yarl import URL

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.http.proxies import find_proxy
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve

S3 = "https://bucket.s3.amazonaws.com"
ON_SITE = "http://10.1.2.3:9000"
PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (S3, {}, None),
        (S3, {"https_proxy": PROXY}, PROXY),
        (S3, {"HTTPS_PROXY": PROXY}, PROXY),
        (S3, {"https_proxy": "proxy:3128"}, PROXY),
        (S3, {"all_proxy": PROXY}, PROXY),
        (S3, {"http_proxy": PROXY}, None),
        (S3, {"https_proxy": ""}, None),
        (ON_SITE, {"http_proxy": PROXY}, PROXY),
        (S3, {"https_proxy": PROXY, "no_proxy": "localhost, .amazonaws.com"}, None),
        (S3, {"https_proxy": PROXY, "NO_PROXY": "amazonaws.com"}, None),
        (S3, {"https_proxy": PROXY, "no_proxy": "*"}, None),
        (S3, {"https_proxy": PROXY, "no_proxy": "aws.com,s3,,10.0.0.0/8"}, PROXY),
        (ON_SITE, {"http_proxy": PROXY, "no_proxy": "10.0.0.0/8"}, None),
        (ON_SITE, {"http_proxy": PROXY, "no_proxy": "10.1.2.3"}, None),
        (ON_SITE, {"http_proxy": PROXY, "no_proxy": "192.168.0.0/16"}, PROXY),
        (ON_SITE, {"http_proxy": PROXY, "no_proxy": "10.1.2.3:9000"}, None),
        (ON_SITE, {"http_proxy": PROXY, "no_proxy": "10.1.2.3:9001"}, PROXY),
        (S3, {"https_proxy": PROXY, "no_proxy": "amazonaws.com:443"}, None),
        (S3, {"https_proxy": PROXY, "no_proxy": "amazonaws.com:80"}, PROXY),
        (S3, {"https_proxy": PROXY, "no_proxy": "*.amazonaws.com"}, None),
        (S3, {"https_proxy": PROXY, "no_proxy": "*.S3.AmazonAWS.com:443 other"}, None),
        ("https://amazonaws.com", {"https_proxy": PROXY, "no_proxy": "*.amazonaws.com"}, PROXY),
        ("https://amazonaws.com", {"https_proxy": PROXY, "no_proxy": ".amazonaws.com"}, None),
        ("http://[fd00::1]:9000", {"http_proxy": PROXY, "no_proxy": "fd00::/8"}, None),
        ("http://[fd00::1]:9000", {"http_proxy": PROXY, "no_proxy": "fd00::1"}, None),
        ("http://[fd00::1]:9000", {"http_proxy": PROXY, "no_proxy": "[fd00::1]:9000"}, None),
        ("http://[fd00::1]:9000", {"http_proxy": PROXY, "no_proxy": "[fd00::1]:80"}, PROXY),
        (S3, {"https_proxy": "socks5://proxy"}, "socks5://proxy:1080"),
        (S3, {"ALL_PROXY": "socks5h://me:pw@proxy:9"}, "socks5h://me:pw@proxy:9"),
        ("http://localhost:9000", {"http_proxy": PROXY}, None),
        ("http://127.0.0.1:9000", {"all_proxy": PROXY}, None),
        ("http://[::1]:9000", {"all_proxy": PROXY}, None),
        ("http://169.254.169.254", {"http_proxy": PROXY}, None),
        ("http://[fd00:ec2::254]", {"http_proxy": PROXY}, None),
        ("http://metadata.google.internal", {"http_proxy": PROXY}, None),
    ],
)
def test_proxy_is_found_as_curl_and_go_find_it(url: str, environ: dict[str, str], proxy: str | None) -> None:
    assert find_proxy(URL(url), environ) == (URL(proxy) if proxy else None)


async def test_proxy_is_asked_for_the_whole_address() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}")

    async with serve(answer) as proxy:
        access = BucketAccess(parse_ref("gs://bucket"), endpoint="http://bucket.invalid", anonymous=True)
        store = await open_store(access, UpstreamLimits(attempts=1), environ={"http_proxy": proxy.url})
        assert await store.get("info", max_size=9) is not None
        await store.close()
    [asked] = proxy.asked
    assert asked.raw_path == "http://bucket.invalid/bucket/info"


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://bucket.invalid", "cannot be reached"),
        ("https://bucket.invalid", "the proxy cannot be reached"),
    ],
)
async def test_proxy_that_is_away_is_named_without_its_password(endpoint: str, words: str) -> None:
    environ = {"all_proxy": "http://me:hunter2@127.0.0.1:1"}
    access = BucketAccess(parse_ref("gs://bucket"), endpoint=endpoint, anonymous=True)
    store = await open_store(access, UpstreamLimits(attempts=1), environ=environ)
    with pytest.raises(StoreError, match=words) as caught:
        await store.get("info", max_size=9)
    await store.close()
    assert "hunter2" not in str(caught.value)
