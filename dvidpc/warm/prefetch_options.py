"""What the options of `dvidpc prefetch` say: a box, scales, a rate."""

import re
from dataclasses import dataclass
from typing import Final

from dvidpc.config.sizes import parse_size
from dvidpc.config.values import BadValueError
from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box
from dvidpc.types import Point

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,15}", re.ASCII)
_SPAN: Final = re.compile(r"([0-9]{1,3})?(?:(-)([0-9]{1,3})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Scales in a row."""

    first: int
    last: int | None
    """Inclusive; None: the coarsest scale there is."""


@dataclass(frozen=True, slots=True)
class ScaleChoice:
    """Which scales are meant, by number; 0 is the finest."""

    spans: tuple[Span, ...]

    def __contains__(self, level: int) -> bool:
        return any(span.first <= level and (span.last is None or level <= span.last) for span in self.spans)

    @property
    def named(self) -> set[int]:
        """The scales that were written out, so that each of them must exist."""
        return {end for span in self.spans for end in (span.first, span.last) if end is not None}


EVERY_SCALE: Final = ScaleChoice((Span(0, None),))


def parse_box(text: str) -> Box:
    """Parse `X0,Y0,Z0,X1,Y1,Z1`: voxels of the finest scale, from the first corner up to the second.

    The first corner is inclusive and the second exclusive.

    Raises:
        ConfigError: It is no such box, or it holds no voxel.
    """
    words = [word.strip() for word in text.split(",")]
    if len(words) != 6 or not all(map(_INTEGER.fullmatch, words)):
        raise ConfigError(
            f"--box {text}: expected six whole numbers of voxels, X0,Y0,Z0,X1,Y1,Z1, such as 0,0,0,512,512,64"
        )
    x0, y0, z0, x1, y1, z1 = map(int, words)
    box = Box(Point(x0, y0, z0), Point(x1, y1, z1))
    if box.is_empty:
        raise ConfigError(
            f"--box {text}: it holds no voxel: X1, Y1 and Z1 are exclusive; they must be above X0, Y0 and Z0"
        )
    return box


def parse_scales(text: str) -> ScaleChoice:
    """Parse scales: `0`, `2-` (2 and coarser), `-3` (0 to 3), `1-4`, or several of them such as `0,2-`.

    Raises:
        ConfigError: It is none of these.
    """
    return ScaleChoice(tuple(_parse_span(word.strip(), text) for word in text.split(",")))


def _parse_span(word: str, text: str) -> Span:
    match = _SPAN.fullmatch(word)
    if match is None or (match[1] is None and match[3] is None):
        raise ConfigError(
            f"--scales {text}: expected numbers of scales, such as 0, 2-, -3, 1-4 or 0,2-; 0 is the finest"
        )
    first = int(match[1] or 0)
    last = first if match[2] is None else None if match[3] is None else int(match[3])
    if last is not None and last < first:
        raise ConfigError(f"--scales {text}: {word} runs backwards; write {last}-{first}")
    return Span(first, last)


def parse_rate(text: str) -> int:
    """Parse bytes per second, such as `50MiB` or `50MiB/s`.

    Raises:
        ConfigError: It is no size, or 0.
    """
    try:
        rate = parse_size(text.strip().removesuffix("/s"))
    except BadValueError as error:
        reason = str(error) or "expected a size such as 50MiB"
        raise ConfigError(f"--rate {text}: {reason}; it is bytes per second") from None
    if rate == 0:
        raise ConfigError(f"--rate {text}: nothing would be read; leave --rate out for no limit")
    return rate
