"""Heartbeat latencies are kept by user, and bounded."""

from dvidpc.dvid.documents.latencies import UserLatencies
from dvidpc.formats.dvid.go_json import encode
from tests.dvid.recorded import BODIES, CREATED


def test_no_latencies_are_dvids_to_the_byte() -> None:
    assert encode(UserLatencies().document()).decode() == BODIES["/api/user-latencies"]


def test_latencies_are_kept_by_user() -> None:
    users = UserLatencies()
    users.record("bob", pinged=CREATED, latency_ms=5)
    users.record("bob", pinged=CREATED + 1, latency_ms=2)
    users.record("ann", pinged=CREATED, latency_ms=0)
    users.record("bob", pinged=CREATED + 2, latency_ms=3)
    assert encode(users.document_of("bob")) == (
        b'{"User":"bob","LastPing":"2026-11-22T13:19:02Z","LastLatency":3,"MinLatency":2,"MaxLatency":5}'
    )
    assert list(users.document()) == ["ann", "bob"]
    assert users.document()["bob"] == users.document_of("bob")


def test_an_unknown_user_has_an_empty_latency() -> None:
    empty = {"User": "", "LastPing": "", "LastLatency": 0, "MinLatency": 0, "MaxLatency": 0}
    assert UserLatencies().document_of("nobody") == empty


def test_neither_many_users_nor_long_names_fill_the_memory() -> None:
    users = UserLatencies(max_users=2, max_name=5)
    users.record("longer", pinged=CREATED, latency_ms=1)
    for user in ("a", "b", "a", "c"):
        users.record(user, pinged=CREATED, latency_ms=1)
    assert list(users.document()) == ["a", "c"]
