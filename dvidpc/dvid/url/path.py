"""Split the path of a request to a data instance."""

from aiohttp import web


def call_parts(request: web.Request) -> list[str]:
    """Return the parts of the path below the instance, the name of the endpoint first.

    One slash at the end is ignored: `raw/xy/5_5/0_0_0/` has four parts.
    """
    return request.match_info["call"].removesuffix("/").split("/")
