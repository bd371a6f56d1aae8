"""What `dvidpc check` found in a volume, for a person and for a program."""

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
    """The findings in one volume; each text can be read alone."""

    name: str
    lines: tuple[str, ...]
    """What is served, and how."""
    warnings: tuple[Finding, ...]
    problems: tuple[Finding, ...]
    """What keeps data from being served; none if all is well."""
    counts: tuple[CopyCount, ...] = ()
    """For each copy of each scale that was counted."""

    def text(self) -> str:
        """Return the report as plain lines, for a file or a pipe."""
        said = [f"{self.name}\n", *(f"  {'ok':8}{line}\n" for line in self.lines)]
        for mark, findings in (("warning", self.warnings), ("problem", self.problems)):
            for text, fix in findings:
                said += [f"  {mark:8}{text}\n", f"  {'fix':>8}: {fix}\n"]
        return "".join(said)

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
