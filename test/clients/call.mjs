// What both TypeScript clients do once they are connected; the report is as python_client.py's.
async function call(client, name, args) {
    try {
        const result = await client.callTool({ name, arguments: args });
        return {
            failed: result.isError ?? false,
            text: result.content.map((c) => c.text).join(""),
        };
    } catch (error) {
        if (typeof error.code !== "number") throw error;
        return { error: error.code, message: error.message };
    }
}

export async function report(client, protocol, text) {
    const { tools } = await client.listTools();
    const send = (args) => call(client, "send_message", args);
    return {
        protocol,
        server: client.getServerVersion()?.name ?? null,
        tools: Object.fromEntries(tools.map((t) => [t.name, t.inputSchema])),
        sent: await send({ to: "anna", text }),
        refused: await send({ to: "fault:status_404", text: "nobody" }),
        wrong_type: await send({ to: 17, text }),
        missing: await send({ to: "anna" }),
        unknown: await call(client, "no_such_tool", {}),
        again: await send({ to: "bert", text }),
    };
}
