// A server that makes no mistake, in Node's event loop.
const net = require("node:net");

const TOO_LONG = Buffer.from("エラー: 1行は1000バイトまでです\n");
const ECHO = Buffer.from("受信しました: ");
const END = Buffer.from("\n");
const DRAIN_MS = 1000;

const text = (line) => (line.at(-1) === 13 ? line.subarray(0, -1) : line);

function reply(line) {
  const isPing = line.length === 4 && line.toString("latin1").toLowerCase() === "ping";
  return isPing ? Buffer.from("pong\n") : Buffer.concat([ECHO, line, END]);
}

const clients = new Set();

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  let line = Buffer.alloc(0);
  let discarding = false;
  const extend = (part, replies) => {
    if (discarding) return;
    line = Buffer.concat([line, part]);
    if (text(line).length <= 1000) return;
    line = Buffer.alloc(0);
    discarding = true;
    replies.push(TOO_LONG);
  };
  client.on("data", (data) => {
    const replies = [];
    let start = 0;
    for (let end; (end = data.indexOf(10, start)) >= 0; start = end + 1) {
      extend(data.subarray(start, end), replies);
      if (!discarding) replies.push(reply(text(line)));
      line = Buffer.alloc(0);
      discarding = false;
    }
    extend(data.subarray(start), replies);
    // Back-pressure: while replies wait, nothing more is read.
    if (replies.length && !client.write(Buffer.concat(replies))) client.pause();
  });
  client.on("drain", () => client.resume());
  client.on("end", () => {
    if (line.length) client.write(reply(text(line)));
    client.end();
  });
  client.on("error", () => client.destroy());
  client.on("close", () => clients.delete(client));
  clients.add(client);
});
server.on("error", (error) => {
  console.error(`listen failed: ${error.message}`);
  process.exit(1);
});
server.listen({ host: "127.0.0.1", port: process.argv[2], backlog: 4096 });

function stop() {
  server.close(() => process.exit(0));
  // What has arrived is answered first.
  setTimeout(() => {
    for (const client of clients) client.end();
  }, 200);
  setTimeout(() => process.exit(0), DRAIN_MS);
}
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
