"""Run the benchmarks: print the table, and write `results.json` and `results.png` next to this file.

The table of docs/operations.md that is reckoned from them is written too.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    annotation_rows,
    array_rows,
    bucket_rows,
    build_rows,
    costs,
    disk_rows,
    index_rows,
    installation,
    label_rows,
    rows,
)
from benchmarks.mesh_rows import mesh
from benchmarks.rows import Bench, Row
from benchmarks.volume import prepare

HERE = Path(__file__).parent
DEBIAN_PACKAGES = {"nginx": "nginx", "wrk": "wrk", "taskset": "util-linux", "openssl": "openssl"}


def main() -> int:
    """Measure the selected rows; return 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is measured")
    parser.add_argument("--only", help="only the groups whose name holds this")
    options = parser.parse_args()
    absent = [package for tool, package in DEBIAN_PACKAGES.items() if _find(tool) is None]
    if absent:
        sys.stderr.write(f"the benchmarks need the Debian packages {', '.join(absent)}\n")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        volume = prepare(Path(tempfile.gettempdir()) / "dvidpc-benchmark")
        bench = Bench(volume, Path(scratch), options.rounds)
        measured: list[Row] = []
        for group in (
            *rows.ALL,
            *bucket_rows.ALL,
            *disk_rows.ALL,
            *costs.ALL,
            *label_rows.ALL,
            *index_rows.ALL,
            *build_rows.ALL,
            mesh,
            *annotation_rows.ALL,
            *array_rows.ALL,
        ):
            if options.only is None or options.only in group.__name__:
                for row in group(bench):
                    _say(_line(row))
                    measured.append(row)
        if options.only is None:
            curves = {
                "seconds by blocks": rows.latency_by_blocks(bench),
                "requests/s by workers": rows.throughput_by_workers(bench),
            }
            _write(measured, curves, costs.figures(bench))
            installation.PAGE.write_text(
                installation.written_page(installation.PAGE.read_text(), installation.results())
            )
    return 0 if all(row.is_met for row in measured) else 1


def _find(tool: str) -> str | None:
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(row: Row) -> str:
    sign = ">=" if row.at_least else "<="
    verdict = "met" if row.is_met else "MISSED"
    return f"| {row.name} | {row.ours} | {row.limit} | {row.ratio:.2f} | {sign} {row.target:g} | {verdict} |"


def _write(
    measured: Sequence[Row], curves: dict[str, list[tuple[int, float]]], figures: dict[str, Any]
) -> None:
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    document: dict[str, Any] = {
        "date": when,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "rows": [{**asdict(row), "met": row.is_met} for row in measured],
        "curves": curves,
        "figures": figures,
    }
    (HERE / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    head = "| what | ours | limit | ratio | target | |\n|---|---|---|---|---|---|"
    table = "\n".join([head, *map(_line, measured)])
    text = (HERE / "RESULTS.md").read_text() if (HERE / "RESULTS.md").exists() else "# Results\n"
    begin = "<!-- table -->"
    before = text.partition(begin)[0].rstrip()
    after = text.partition("<!-- end -->")[2].strip()
    parts = [
        before,
        f"{begin}\nMeasured on {when}, 2 cores, {document['machine']}.\n\n{table}\n<!-- end -->",
        after,
    ]
    (HERE / "RESULTS.md").write_text("\n\n".join(part for part in parts if part) + "\n")
    _plot(curves)


def _plot(curves: dict[str, list[tuple[int, float]]]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - of no use but here

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of a backend

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5))
    blocks, seconds = zip(*curves["seconds by blocks"], strict=True)
    axes[0].plot(blocks, [1000 * second for second in seconds], "o-")
    axes[0].axhline(30, linestyle="--", color="grey", label="one round trip")
    axes[0].set(xscale="log", ylim=0, xlabel="blocks of one cold request", ylabel="ms")
    axes[0].legend()
    workers, rates = zip(*curves["requests/s by workers"], strict=True)
    axes[1].bar([str(count) for count in workers], rates)
    axes[1].set(xlabel="workers", ylabel="hot single blocks a second")
    figure.tight_layout()
    figure.savefig(HERE / "results.png", dpi=100)


if __name__ == "__main__":
    sys.exit(main())
