// Stage 0 of step 04: the article's server, on the event loop of Node.

import net from "node:net";
import { inspect } from "node:util";

const port = Number(process.argv[2] ?? 8888);

// For a terminal, which a client must not control.
function printable(bytes) {
  return inspect(bytes.toString().slice(0, 1000));
}

// What one "data" event brought is one message, up to its first line end.
function reply(data) {
  const line = data.toString("latin1").split(/[\r\n]/)[0];
  console.log("[*] received:", printable(Buffer.from(line, "latin1")));
  if (line.toLowerCase() === "ping") return "pong\n";
  return Buffer.concat([
    Buffer.from("受信しました: "),
    Buffer.from(line + "\n", "latin1"),
  ]);
}

const server = net.createServer((client) => {
  console.log(`[*] client connected: ${client.remoteAddress}`);
  client.on("data", (data) => client.write(reply(data)));
  client.on("close", () => console.log("[*] connection ended"));
});

server.listen({ host: "127.0.0.1", port, backlog: 5 }, () => {
  console.log(`[*] epoll server listening on 127.0.0.1:${port}`);
});
