"""JSON of labels and positions, in requests and answers; labels are exact up to 2^64 - 1.

Refusals use the words of Go's `encoding/json` and of DVID. Unlike DVID, we refuse positions of two or four
numbers, and null in a list.  (datatype/labelmap/handlers.go:49-130, labelmap.go:3298-3307, 3400c2cb)
"""

import hashlib
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import RequestError

_INT32: Final = range(-(2**31), 2**31)
_UINT64: Final = range(2**64)

_POINTS = msgspec.json.Decoder(list[tuple[int, int, int]] | None)
_IDS = msgspec.json.Decoder(list[int] | None)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ONE_VALUE = msgspec.json.Decoder(msgspec.Raw)

_KINDS: Final = {b"{": "object", b"[": "array", b'"': "string", b"t": "bool", b"f": "bool", b"n": "null"}
_INTEGER = re.compile("-?[0-9]+")
_NUM_AXES = 3
_MAX_DIGITS = 20
_QUOTED_DIGITS = 40


def parse_points(body: bytes) -> NDArray[np.int64]:
    """Return the positions of a `labels` request, one row x, y, z each; null is an empty list.

    Raises:
        RequestError: *body* is not a list of lists of three integers of 32 bits.
    """
    try:
        numbers = list(chain.from_iterable(_POINTS.decode(body) or ()))
    except (msgspec.MsgspecError, RecursionError):
        numbers = None
    if numbers is None or not all(number in _INT32 for number in numbers):
        raise RequestError(f"Bad labels request JSON: {_find_fault(body, '[]dvid.Point3d', _fault_of_point)}")
    return np.array(numbers, np.int64).reshape(-1, _NUM_AXES)


def parse_ids(body: bytes, endpoint: str = "mapping") -> NDArray[np.uint64]:
    """Return the labels of a request; null is an empty list.

    Args:
        body: The body of the request.
        endpoint: What the refusal calls the request.

    Raises:
        RequestError: *body* is not a list of unsigned integers of 64 bits.
    """
    try:
        ids = _IDS.decode(body) or []
    except (msgspec.MsgspecError, RecursionError):
        ids = None
    if ids is None or not all(label in _UINT64 for label in ids):
        raise RequestError(f"Bad {endpoint} request JSON: {_find_fault(body, '[]uint64', _fault_of_id)}")
    return np.array(ids, np.uint64)


def check_content_hash(body: bytes, expected: str) -> None:
    """Check the body of a request against the MD5 in its `hash` query value; "" passes.

    Raises:
        RequestError: They differ.
    """
    found = hashlib.md5(body, usedforsecurity=False).hexdigest()
    if expected not in ("", found):
        raise RequestError(f"content hash incorrect.  expected {expected}, got {found}")


def encode_label(label: int) -> bytes:
    """Return the answer to `label`."""
    return b'{"Label": %d}' % label


def encode_labels(labels: NDArray[np.unsignedinteger[Any]]) -> bytes:
    """Return the answer to `labels` or `mapping`: a list without spaces."""
    return msgspec.json.encode(labels.tolist())


def _find_fault(body: bytes, go_type: str, fault_of: Callable[[bytes], str | None]) -> str:
    """Return what is wrong with a refused body.

    Args:
        body: The body.
        go_type: DVID's name of the expected list.
        fault_of: Says what is wrong with an element of the list; None if nothing is.
    """
    try:
        _ONE_VALUE.decode(body)
        elements = [bytes(element) for element in _LIST.decode(body)]
    except msgspec.ValidationError:
        return _mismatch(body.strip(), go_type)
    except msgspec.DecodeError as error:
        return "unexpected end of JSON input" if "truncated" in str(error) else str(error)
    except RecursionError:
        return "exceeded max depth"
    return next(filter(None, map(fault_of, elements)), "")


def _fault_of_point(element: bytes) -> str | None:
    if not element.startswith(b"["):
        return _mismatch(element, "dvid.Point3d")
    numbers = [bytes(number) for number in _LIST.decode(element)]
    if len(numbers) != _NUM_AXES:
        return f"a position has 3 numbers, not {len(numbers)}"
    return next(filter(None, (_fault_of_integer(number, "int32", _INT32) for number in numbers)), None)


def _fault_of_id(element: bytes) -> str | None:
    return _fault_of_integer(element, "uint64", _UINT64)


def _fault_of_integer(element: bytes, go_type: str, allowed: range) -> str | None:
    if _kind(element) != "number":
        return _mismatch(element, go_type)
    text = element.decode()
    if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS and int(text) in allowed:
        return None
    return f"json: cannot unmarshal number {text[:_QUOTED_DIGITS]} into Go value of type {go_type}"


def _mismatch(element: bytes, go_type: str) -> str:
    return f"json: cannot unmarshal {_kind(element)} into Go value of type {go_type}"


def _kind(element: bytes) -> str:
    """Return Go's word for the kind of a JSON value."""
    return _KINDS.get(element[:1], "number")
