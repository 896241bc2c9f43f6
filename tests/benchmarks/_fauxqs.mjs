// Serve SQS on the loopback address; `_programs.py` runs a copy beside the installed package. A line on the standard
// input is answered with the number of requests of each kind so far; its end ends the program.
import { createInterface } from "node:readline";
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false });
const counts = {};
app.server.prependListener("request", (request) => {
  const name = String(request.headers["x-amz-target"] ?? "").split(".").pop();
  counts[name] = (counts[name] ?? 0) + 1;
});
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
const lines = createInterface({ input: process.stdin });
lines.on("line", () => console.log(JSON.stringify(counts)));
lines.on("close", () => process.exit(0));
