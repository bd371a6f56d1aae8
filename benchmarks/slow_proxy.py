"""A TCP proxy with a round-trip time: `slow_proxy.py PORT TARGET_PORT SECONDS`.

All of it lies on the way to the target: requests are small and come one at a time, so that a thread may
sleep over each. Answers are passed on at once by another: whatever it did besides, the measurement would
count as the network's, which copies megabytes for nothing.
"""

import contextlib
import socket
import sys
import threading
import time


def _carry(source: socket.socket, target: socket.socket, delay_s: float) -> None:
    """Forward bytes, each *delay_s* after it arrived."""
    room = memoryview(bytearray(2**20))
    with contextlib.suppress(OSError):
        while size := source.recv_into(room):
            if delay_s:
                time.sleep(delay_s)
            target.sendall(room[:size])
        target.shutdown(socket.SHUT_WR)


def _serve(port: int, target_port: int, round_trip_s: float) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=1024) as server:
        while True:
            client, _ = server.accept()
            target = socket.create_connection(("127.0.0.1", target_port))
            for one in (client, target):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for way in ((client, target, round_trip_s), (target, client, 0.0)):
                threading.Thread(target=_carry, args=way, daemon=True).start()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
