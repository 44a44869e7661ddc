"""Stage 0 of step 01: the article's server, without its threads."""

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


def serve(client):
    while data := client.recv(1024):
        client.sendall(reply(data))
    client.close()
    print("[*] connection ended", flush=True)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8888
listener = socket.create_server(("127.0.0.1", port), backlog=5)
print(f"[*] listening on 127.0.0.1:{port}", flush=True)
while True:
    client, peer = listener.accept()
    print(f"[*] client connected: {peer[0]}:{peer[1]}", flush=True)
    serve(client)
