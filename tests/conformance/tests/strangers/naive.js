// A server as most people write their first in Node.
const net = require("node:net");

const server = net.createServer((client) => {
  client.on("data", (data) => {
    const line = data.toString().trim();
    const isPing = line.toLowerCase() === "ping";
    client.write(isPing ? "pong\n" : `受信しました: ${line}\n`);
  });
});
server.listen(process.argv[2], "127.0.0.1");
