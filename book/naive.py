"""A server as most people write their first: see the book, "Testing a server"."""

import socket
import sys
import threading


def serve(client):
    while data := client.recv(1024):
        line = data.decode(errors="replace").strip()
        reply = "pong" if line.lower() == "ping" else "受信しました: " + line
        client.send((reply + "\n").encode())


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
