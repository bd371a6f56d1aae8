"""What was found of a volume, for a person and for a program."""

import json
from dataclasses import dataclass

from dvidpc.types import Finding, Point


@dataclass(frozen=True, slots=True)
class CopyCount:
    """How much of one copy of a scale is stored."""

    level: int
    chunk_size: Point
    expected: int
    """Chunks of the whole grid."""
    stored: int


@dataclass(frozen=True, slots=True)
class VolumeReport:
    """What was found of one volume; each text stands alone."""

    name: str
    lines: tuple[str, ...]
    """What is served, and how."""
    warnings: tuple[Finding, ...]
    problems: tuple[Finding, ...]
    """What keeps data from being served; none: all is well."""
    counts: tuple[CopyCount, ...] = ()
    """Of each copy of each scale that was counted."""

    def text(self) -> str:
        """The report as plain lines, for a person who reads a file or a pipe."""
        said = [f"{self.name}\n", *(f"  {'ok':8}{line}\n" for line in self.lines)]
        for mark, findings in (("warning", self.warnings), ("problem", self.problems)):
            for text, mend in findings:
                said += [f"  {mark:8}{text}\n", f"  {'mend':>8}: {mend}\n"]
        return "".join(said)

    def json_line(self) -> str:
        """The report for a program: an object on a line."""
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
            "mend": {finding.text: finding.mend for finding in findings},
            "counts": counts,
        }
        return f"{json.dumps(report)}\n"
