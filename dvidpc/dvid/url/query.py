"""Parse the query parameters that several endpoints share."""

from collections.abc import Mapping

from dvidpc.dvid.url.numbers import SHOWN
from dvidpc.errors import RequestError
from dvidpc.formats.payloads import PAYLOADS, Payload


def parse_payload(text: str, default: Payload) -> Payload:
    """Return the payload that `compression=` names; *default* if *text* is empty.

    Raises:
        RequestError: *text* is neither `jpeg` nor `uncompressed`.
    """
    if not text:
        return default
    payload = PAYLOADS.get(text)
    if payload is None:
        raise RequestError(f"don't understand 'compression' query string value: {text[:SHOWN]}")
    return payload


def parse_switch(query: Mapping[str, str], name: str) -> bool:
    """Return whether a switch such as `prefetch` is on; DVID accepts `on` and `true`."""
    return query.get(name) in {"on", "true"}
