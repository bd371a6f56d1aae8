"""Errors are counted by kind."""

import pytest

from dvidpc.errors import (
    ObjectChangedError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from dvidpc.storage.retry.upstream_counts import ERROR_KINDS, UpstreamCounts, kind_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreTimeoutError(""), "timeout"),
        (StoreRefusedError(""), "refused"),
        (ObjectChangedError(""), "changed"),
        (StoreBusyError(""), "failed"),
        (StoreError(""), "failed"),
    ],
)
def test_kind_of_an_error(error: StoreError, kind: str) -> None:
    assert kind_of(error) == kind


def test_every_kind_is_counted_from_the_start() -> None:
    assert dict(UpstreamCounts().errors) == dict.fromkeys(ERROR_KINDS, 0)
