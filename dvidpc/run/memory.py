"""How much memory this process may have, by its own limits and those of its container, and has."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_PAGE: Final = resource.getpagesize()
_LEAST_SPARE: Final = 64 * 2**20
_UNLIMITED: Final = 2**60
"""What a limit of a control group that is no limit is at least; v1 has a number for it."""


class Bound(NamedTuple):
    """One limit, in bytes."""

    name: str
    used: int
    most: int

    @property
    def is_near(self) -> bool:
        """Whether less than 64 MiB are left, or an eighth; a quarter is enough in any case.

        Libraries in C and Rust end the process where an allocation fails, and the kernel ends one whose
        control group is full: by then it is too late.
        """
        spare = max(self.most // 8, min(_LEAST_SPARE, self.most // 4))
        return self.used > self.most - spare

    def __str__(self) -> str:
        return f"{self.used / 2**20:.0f} of {self.most / 2**20:.0f} MiB used ({self.name})"


def read_bounds(root: Path = Path("/")) -> list[Bound]:
    """The limits there are now; none where memory is only bounded by the machine.

    Args:
        root: Where `proc` and `sys` lie.
    """
    with contextlib.suppress(OSError):  # not every system has these files, or shows them
        return [*_of_the_process(root), *_of_the_control_group(root)]
    return []


def _of_the_process(root: Path) -> Iterator[Bound]:
    """`ulimit -v` and `ulimit -d`."""
    pages = (root / "proc/self/statm").read_text().split()
    for name, limit, used in (
        ("ulimit -v", resource.RLIMIT_AS, pages[0]),
        ("ulimit -d", resource.RLIMIT_DATA, pages[5]),
    ):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            yield Bound(name, int(used) * _PAGE, most)


def _of_the_control_group(root: Path) -> Iterator[Bound]:
    """`memory.max` of cgroups v2, `memory.limit_in_bytes` of v1; what can be written back counts as free."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, limit, counted = root / "sys/fs/cgroup", "memory.max", "anon "
        elif "memory" in controllers.split(","):
            mount, limit, counted = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "total_rss "
        else:
            continue
        for group in (mount / path.lstrip("/"), mount):  # within a container its own is the root
            try:
                most = (group / limit).read_text().strip()
                stat = (group / "memory.stat").read_text().splitlines()
            except OSError:
                continue
            used = next((int(one.split()[1]) for one in stat if one.startswith(counted)), None)
            if used is not None and most.isdecimal() and int(most) < _UNLIMITED:
                yield Bound(limit, used, int(most))
            break
