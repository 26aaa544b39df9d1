"""Opens connections, signs in (trust), says "connected N" and holds them until it is ended.

usage: idle_clients.py HOST PORT DATABASE COUNT
"""

import resource
import signal
import socket
import struct
import sys


def sign_in(host, port, database):
    connection = socket.create_connection((host, port), timeout=60)
    body = struct.pack("!HH", 3, 0) + b"user\0postgres\0database\0" + database.encode() + b"\0\0"
    connection.sendall(struct.pack("!I", len(body) + 4) + body)
    received = b""
    # ReadyForQuery is the last: Z, length 5, I.
    while not received.endswith(b"Z\0\0\0\5I"):
        data = connection.recv(65536)
        if not data or (received + data)[:1] == b"E":
            raise RuntimeError(f"refused: {received + data!r}")
        received += data
    return connection


def main():
    host, port, database, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    connections = [sign_in(host, port, database) for _ in range(count)]
    print(f"connected {len(connections)}", flush=True)
    signal.pause()


main()
