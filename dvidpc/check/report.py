"""The report of `dvidpc check` on one volume, as text and as JSON."""

import json
from dataclasses import dataclass, field

from dvidpc.types import Finding, Point


@dataclass(frozen=True, slots=True)
class CopyCount:
    """How many chunks of one copy of a scale are stored."""

    level: int
    chunk_size: Point
    expected: int
    """Number of chunks of the whole grid."""
    stored: int


@dataclass(slots=True)
class Findings:
    """The findings about a part of a volume, as they are gathered."""

    lines: list[str] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VolumeReport:
    """The findings about one volume. Each text makes sense on its own."""

    name: str
    lines: tuple[str, ...]
    """What is served, and how: nothing to act on."""
    warnings: tuple[Finding, ...]
    problems: tuple[Finding, ...]
    """What prevents data from being served; empty if nothing does."""
    counts: tuple[CopyCount, ...] = ()
    """One count for each copy of each scale; empty if nothing was counted."""

    def text(self) -> str:
        """Return the report as plain lines, for a file or a pipe."""
        parts = [f"{self.name}\n", *(f"  {'ok':8}{line}\n" for line in self.lines)]
        for mark, findings in (("warning", self.warnings), ("problem", self.problems)):
            for text, fix in findings:
                parts += [f"  {mark:8}{text}\n", f"  {'fix':>8}: {fix}\n"]
        return "".join(parts)

    def json_line(self) -> str:
        """Return the report as one line of JSON."""
        findings = [*self.warnings, *self.problems]
        counts = [
            {"scale": c.level, "chunk_size": c.chunk_size, "expected": c.expected, "stored": c.stored}
            for c in self.counts
        ]
        report = {
            "name": self.name,
            "lines": self.lines,
            "warnings": [finding.text for finding in self.warnings],
            "problems": [finding.text for finding in self.problems],
            "fix": {finding.text: finding.fix for finding in findings},
            "counts": counts,
        }
        return f"{json.dumps(report)}\n"
