"""Stage 0 of step 04: the article's event loop, level-triggered."""

import select
import socket
import sys


def printable(line):
    """For a terminal, which a client must not control."""
    return repr(line.decode(errors="replace"))[1:-1][:1000]


def reply(data):
    """What one recv brought is one message, up to its first line end."""
    line = data.split(b"\n")[0].split(b"\r")[0]
    print("[*] received:", printable(line), flush=True)
    if line.lower() == b"ping":
        return b"pong\n"
    return "受信しました: ".encode() + line + b"\n"


def accept():
    client, peer = listener.accept()
    print(f"[*] client connected: {peer[0]}:{peer[1]}", flush=True)
    client.setblocking(False)
    clients[client.fileno()] = client
    poller.register(client, select.EPOLLIN)


def serve(fd):
    client = clients[fd]
    data = client.recv(1024)
    if data:
        client.sendall(reply(data))
        return
    del clients[fd]
    client.close()  # which also takes it out of the set
    print(f"[*] connection ended (fd={fd})", flush=True)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8888
listener = socket.create_server(("127.0.0.1", port), backlog=5)
listener.setblocking(False)
print(f"[*] epoll server listening on 127.0.0.1:{port}", flush=True)
clients = {}
poller = select.epoll()
poller.register(listener, select.EPOLLIN)
while True:
    for fd, _ in poller.poll():
        if fd == listener.fileno():
            accept()
        else:
            serve(fd)
