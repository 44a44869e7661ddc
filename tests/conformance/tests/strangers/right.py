"""A server that makes no mistake, a thread for each client."""

import os
import signal
import socket
import sys
import threading
import time

TOO_LONG = "エラー: 1行は1000バイトまでです\n".encode()
DRAIN_SECONDS = 1


def reply(line):
    line = line[:-1] if line.endswith(b"\r") else line
    if len(line) > 1000:
        return TOO_LONG
    if line.lower() == b"ping":
        return b"pong\n"
    return "受信しました: ".encode() + line + b"\n"


class Framer:
    """Bytes in, replies out."""

    def __init__(self):
        self.line = b""
        self.discarding = False

    def feed(self, data):
        *lines, rest = data.split(b"\n")
        replies = b""
        for line in lines:
            replies += self.extend(line)
            replies += b"" if self.discarding else reply(self.line)
            self.line, self.discarding = b"", False
        return replies + self.extend(rest)

    def extend(self, part):
        if self.discarding:
            return b""
        self.line += part
        length = len(self.line) - self.line.endswith(b"\r")
        if length <= 1000:
            return b""
        self.line, self.discarding = b"", True
        return TOO_LONG

    def finish(self):
        return reply(self.line) if self.line else b""


def serve(client):
    framer = Framer()
    try:
        client.settimeout(3600)
        while data := client.recv(4096):
            client.sendall(framer.feed(data))
        if client not in draining:
            client.sendall(framer.finish())
    except OSError:
        pass
    with lock:
        clients.discard(client)
    client.close()


def accept():
    while True:
        try:
            client, _ = listener.accept()
        except ConnectionAbortedError:
            continue
        except OSError as error:
            print("accept failed:", error, file=sys.stderr)
            time.sleep(0.2)
            continue
        with lock:
            clients.add(client)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


clients, draining, lock = set(), set(), threading.Lock()
# Before it listens: from then on a signal may come.
stop = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, stop)
try:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
except OSError as error:
    sys.exit(f"bind failed: {error}")
threading.Thread(target=accept, daemon=True).start()
signal.sigwait(stop)
# What has arrived is read, and answered; then comes our FIN.
time.sleep(0.2)
with lock:
    draining |= clients
    for client in clients:
        try:
            client.shutdown(socket.SHUT_RD)
        except OSError:
            pass
deadline = time.monotonic() + DRAIN_SECONDS
while clients and time.monotonic() < deadline:
    time.sleep(0.02)
os._exit(0)
