"""Says which objects look like chunks of a scale but are never read, because of their names."""

from dvidpc.sources.counting import Slip, Stray
from dvidpc.storage.object_checks import name_object

_STORED_AS = {
    Slip.SUFFIX: "are stored with {detail} appended to their names",
    Slip.CASE: "are stored under names in another case",
    Slip.DIGITS: "are stored under names with another number of digits",
    Slip.DEEPER: "are stored in a directory below",
    Slip.NESTED: "are stored in a nested layout",
    Slip.ELSEWHERE: "are stored in another directory",
    Slip.SEPARATOR: "are stored with {detail!r} between the numbers of their names",
}


def explain_stray(stray: Stray) -> str:
    """Return what is wrong with the names of some objects, and an example."""
    example = name_object("", stray.example)[1:]
    if stray.slip is Slip.LAYOUT:
        what = "shards" if stray.example.endswith(".shard") else "chunks in objects of their own"
        return f"the directory holds {what}, such as {example}, but the info says otherwise"
    how = _STORED_AS[stray.slip].format(detail=stray.detail)
    return f"its chunks {how}: {example} is stored, {name_object('', stray.intended)[1:]} is read"
