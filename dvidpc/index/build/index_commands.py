"""`dvidpc index build` and `dvidpc index check`: run them and report."""

import argparse
import asyncio
import json
import random
import sys
import time

from dvidpc.config import Config, load_config
from dvidpc.index.build.build_files import open_files
from dvidpc.index.build.build_progress import make_progress
from dvidpc.index.build.dask_run import Cluster, connected, run_build
from dvidpc.index.build.index_check import IndexReport, check_index
from dvidpc.index.build.job import BuildJob
from dvidpc.index.build.job_making import default_scratch, find_store, make_job, parse_place, writing_access
from dvidpc.index.build.source_versions import SOURCES_KEY
from dvidpc.index.build.table_writing import Totals
from dvidpc.index.index_info import parse_index_info
from dvidpc.index.layout import INFO_KEY


def build_index(options: argparse.Namespace) -> int:
    """Build the index of a volume, unless it exists already; return the exit code.

    Raises:
        ConfigError: An argument is wrong.
        FormatError: The volume is damaged.
        StoreError: The volume cannot be read, or the index cannot be written.
    """
    started = time.monotonic()
    config = load_config(options.config)
    job, sources = asyncio.run(_make_job(config, options))
    if _is_built(job, sources):
        _say({"stage": "done"}, f"{job.output.ref.url} is up to date", as_json=options.json)
        return 0
    cluster = Cluster(options.scheduler, options.scheduler_file, options.workers)
    progress = make_progress(as_json=options.json)
    try:
        with connected(cluster) as client:
            totals = run_build(client, job, sources, progress)
    finally:
        progress.close()
    seconds = time.monotonic() - started
    document = {"stage": "done", **totals._asdict(), "seconds": round(seconds, 3)}
    _say(document, _summary(job, totals, seconds), as_json=options.json)
    return 0


async def _make_job(config: Config, options: argparse.Namespace) -> tuple[BuildJob, bytes]:
    store = find_store(config, options.store)
    output = parse_place(options.to)
    scratch = default_scratch(output) if options.scratch is None else parse_place(options.scratch)
    return await make_job(config, store, writing_access(store, output), writing_access(store, scratch))


def _is_built(job: BuildJob, sources: bytes) -> bool:
    """Return whether the output is already the whole index of the volume as it is now."""
    output = open_files(job.output)
    info = output.read(INFO_KEY)
    if info is None or output.read(SOURCES_KEY) != sources:
        return False
    return parse_index_info(info).volume == job.volume


def _summary(job: BuildJob, totals: Totals, seconds: float) -> str:
    return (
        f"{job.output.ref.url}: {totals.labels:,} labels, {totals.blocks:,} pairs of a label and a block, "
        f"{totals.voxels:,} voxels, {totals.nbytes:,} bytes, {seconds:,.0f} s\n"
        f'To serve it, write into [store.{job.store.alias}]: label_index = "{job.output.ref.url}"'
    )


def print_check(options: argparse.Namespace) -> int:
    """Compare an index with its volume, and print what differs; return the exit code.

    Raises:
        ConfigError: An argument is wrong.
        FormatError: The index is missing or malformed, or the volume is damaged.
        StoreError: A bucket failed.
    """
    config = load_config(options.config)
    store = find_store(config, options.store)
    report = asyncio.run(check_index(config, store, options.samples, random.Random()))
    document = {"is_good": report.is_good, "stale": report.stale, "wrong": report.wrong}
    document |= {"unknown": report.unknown, "blocks": report.blocks, "labels": report.labels}
    _say(document, _describe(report), as_json=options.json)
    return 0 if report.is_good else 1


def _describe(report: IndexReport) -> str:
    found = (("stale", report.stale), ("wrong", report.wrong), ("not known", report.unknown))
    lines = [f"{what}: {text}" for what, texts in found for text in texts]
    compared = f"{report.blocks} blocks and {report.labels} labels were compared with the volume"
    if report.is_good:
        return "\n".join([f"ok: {compared}", *lines])
    return "\n".join([*lines, compared, "Build the index again: dvidpc index build"])


def _say(document: dict[str, object], text: str, *, as_json: bool) -> None:
    sys.stdout.write(f"{json.dumps(document) if as_json else text}\n")
    sys.stdout.flush()
