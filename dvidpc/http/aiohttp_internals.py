"""Which HTTP parser aiohttp uses, and whether it is one to be trusted with what clients send."""

import re
from typing import Final

import aiohttp
from aiohttp import http_parser

from dvidpc.errors import ConfigError

LEAST: Final = (3, 14, 4)
"""Before, a request could be smuggled past a proxy (PYSEC-2026-4371), or be longer than allowed."""


def check_parser() -> None:
    """Return if requests are parsed in C, by an aiohttp of LEAST or later.

    Raises:
        ConfigError: They are not.
    """
    version = tuple(int(part) for part in re.findall(r"\d+", aiohttp.__version__)[:3])
    least = ".".join(map(str, LEAST))
    if version < LEAST:
        raise ConfigError(f"aiohttp {aiohttp.__version__} is too old: install {least} or later")
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise ConfigError(
            f"aiohttp {aiohttp.__version__} runs without its parser in C, which is slow and less well "
            "tried: unset AIOHTTP_NO_EXTENSIONS, or install a wheel of it for this platform"
        )
