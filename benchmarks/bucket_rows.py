"""The rows of the table about reading from a bucket: what a cold block costs, when its first byte comes."""

import asyncio
import json
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from benchmarks.machinery import SERVER_CORE, bucket, dvidpc, make_tls, s3_store, slow_network, wrk
from benchmarks.rows import PLANE_BLOCKS, Bench, Row, latencies, limit, query, ratio_row


def cold_singles(bench: Bench) -> list[Row]:
    """Single blocks that are not in the cache, store at 0 ms, against a bare client that reads the same."""
    with bucket(bench.volume.path, bench.directory) as url:
        work = bench.directory / "read.json"
        work.write_text(json.dumps({"url": url, "parts": bench.volume.parts}))
        with dvidpc(s3_store(url), bench.directory, memory=0) as server:
            urls = [server.url + query([block]) for block in bench.volume.blocks]
            wrk(urls, bench.directory, seconds=1)
            pairs = [
                (wrk(urls, bench.directory)[0], limit("read", work, SERVER_CORE)) for _ in range(bench.rounds)
            ]
    return [ratio_row("cold single blocks, store at 0 ms", 0.6, pairs, "blocks/s")]


def https(bench: Bench) -> list[Row]:
    """Compare the CPU time of a cold block from a bucket that is read by https with that by http."""
    with ExitStack() as stack:
        tls = make_tls(bench.directory)
        plain = stack.enter_context(bucket(bench.volume.path, bench.directory, tls))
        secure = f'{s3_store(f"https://127.0.0.1:{tls.port}")}\nca_bundle = "{tls.certificate}"'
        servers = []
        for name, store in (("https", secure), ("http", s3_store(plain))):
            directory = bench.directory / name
            directory.mkdir()
            servers.append(stack.enter_context(dvidpc(store, directory, memory=0)))
        costs: list[list[float]] = [[], []]
        for turn in range(bench.rounds + 1):
            for server, seconds in zip(servers, costs, strict=True):
                urls = [server.url + query([block]) for block in bench.volume.blocks]
                before = server.cpu_s()
                _rate, count = wrk(urls, bench.directory, seconds=3 if turn else 1)
                seconds.append((server.cpu_s() - before) / count)
    ratios = [ours / http for ours, http in zip(costs[0][1:], costs[1][1:], strict=True)]
    ours, http = (statistics.median(seconds[1:]) * 1e6 for seconds in costs)
    name = "CPU per cold block over https to the bucket, of http"
    ratio = statistics.median(ratios)
    return [Row(name, f"{ours:.0f} us", f"{http:.0f} us", ratio, 1.15, at_least=False, rounds=ratios)]


def first_byte(bench: Bench) -> list[Row]:
    """Measure when the first byte of 72 cold blocks comes, in round trips of a small object."""
    with ExitStack() as stack:
        near = stack.enter_context(bucket(bench.volume.path, bench.directory))
        far = stack.enter_context(slow_network(near))
        server = stack.enter_context(dvidpc(s3_store(far), bench.directory, memory=0))
        urls = server.url + query(PLANE_BLOCKS), f"{far}/bucket/info"
        ours, small = asyncio.run(latencies(urls, 5 + 4 * bench.rounds, to_first_byte=True))
    trip = statistics.median(small[5:])
    ratios = [seconds / trip for seconds in ours[5:]]
    ratio = statistics.median(ratios)
    return [
        Row(
            "first byte of 72 cold blocks, store 30 ms away, indexes known",
            f"{ratio * trip * 1e3:.0f} ms",
            f"{trip * 1e3:.1f} ms",
            ratio,
            1.25,
            at_least=False,
            rounds=ratios,
        )
    ]


ALL: Final[Sequence[Callable[[Bench], list[Row]]]] = (cold_singles, https, first_byte)
