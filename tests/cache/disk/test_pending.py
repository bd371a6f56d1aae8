"""What waits to be written."""

from dvidpc.cache.disk.entries import Entry, encode_version
from dvidpc.cache.disk.pending import Pending
from dvidpc.storage.versions import Version

VERSION = Version(etag='"a"')


def entry(data: bytes, current: float) -> Entry:
    return Entry(b"name", "store", VERSION, encode_version(VERSION), data, is_gzip=False, current=current)


def test_a_newer_entry_takes_the_place_of_an_older_one_in_whichever_order_they_come() -> None:
    old, new = entry(b"old", 1.0), entry(b"newer", 2.0)
    for order in ([old, new], [new, old]):
        pending = Pending()
        for one in order:
            pending.add(one)
        assert pending.entries == {b"name": new}
        alone = Pending()
        alone.add(new)
        assert pending.nbytes == alone.nbytes
