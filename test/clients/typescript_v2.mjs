// The TypeScript SDK 2.x. usage: typescript_v2.mjs URL legacy|auto|2026-07-28 TEXT
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { report } from "./call.mjs";

const [url, wanted, text] = process.argv.slice(2);
const mode = ["legacy", "auto"].includes(wanted) ? wanted : { pin: wanted };
const client = new Client(
    { name: "typescript-v2", version: "1.0.0" },
    { versionNegotiation: { mode } },
);
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const found = await report(client, client.getNegotiatedProtocolVersion(), text);
await client.close();
console.log(JSON.stringify(found));
