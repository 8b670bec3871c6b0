// The TypeScript SDK 1.x. usage: typescript_v1.mjs URL MODE TEXT (it knows one mode, legacy)
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { report } from "./call.mjs";

const [url, , text] = process.argv.slice(2);
const client = new Client({ name: "typescript-v1", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(url));
await client.connect(transport);
const found = await report(client, transport.protocolVersion, text);
await client.close();
console.log(JSON.stringify(found));
