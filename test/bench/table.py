"""The table of a benchmark's rows, as text."""

COLUMNS = (  # heading, how a row's cell is written
    ("server", lambda r: r["server"]),
    ("upstream", lambda r: "HTTP/" + r["upstream_http"]),
    ("conns", lambda r: str(r["connections"])),
    ("calls/s", lambda r: f"{r['calls_per_s']:.0f}"),
    ("errors", lambda r: str(r["errors"])),
    ("CPU us/call", lambda r: f"{r['cpu_us_per_call']:.0f}"),
    ("of nginx", lambda r: ratio(r.get("cpu_ratio"))),
    ("RSS peak MiB", lambda r: f"{r['rss_peak_mib']:.1f}"),
    ("of nginx", lambda r: ratio(r.get("rss_ratio"))),
    ("p50 ms", lambda r: f"{r['latency_us']['p50'] / 1000:.1f}"),
    ("p99 ms", lambda r: f"{r['latency_us']['p99'] / 1000:.1f}"),
    ("threads", lambda r: str(r["threads"])),
    ("allocs/call", lambda r: "-" if r["allocations_per_call"] is None
     else f"{r['allocations_per_call']:.1f}"),
    ("handshakes", lambda r: "-" if r["handshakes"] is None else str(r["handshakes"])),
)
CGROUP_COLUMNS = (
    ("cgroup peak MiB", lambda r: f"{r['cgroup']['usage_peak_mib'] or 0:.1f}"),
    ("oom_kill", lambda r: str(r["cgroup"]["oom_kill"])),
)
NOTES = """\
CPU us/call: user and system time of the server's process alone, in the measured window.
RSS peak: since the process started, handshakes included. handshakes: with the upstream, in the
window. allocs/call: of libcurl, mbedTLS and libmicrohttpd, from their heaps. of nginx: divided by
nginx's figure at as many connections. nginx is a plain proxy_pass (no JSON, no schema) and speaks HTTP/1.1
to the upstream in any case, so for an HTTP/2 row the ratio compares protocols too."""


def ratio(value):
    return "-" if value is None else f"{value:.2f}"


def add_ratios(rows):
    """Each row divided by nginx's at as many connections, where nginx was measured."""
    nginx = {r["connections"]: r for r in rows if r["server"] == "nginx"}
    for row in rows:
        peer = nginx.get(row["connections"])
        if peer and row is not peer:
            row["cpu_ratio"] = row["cpu_us_per_call"] / peer["cpu_us_per_call"]
            row["rss_ratio"] = row["rss_peak_mib"] / peer["rss_peak_mib"]


def text(rows):
    columns = COLUMNS + (CGROUP_COLUMNS if any("cgroup" in r for r in rows) else ())
    cells = [[heading for heading, _ in columns]]
    for row in rows:
        if "skipped" in row:
            continue
        cells.append([write(row) for _, write in columns])
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = ["  ".join(c.ljust(w) if i < 2 else c.rjust(w)
                       for i, (c, w) in enumerate(zip(line, widths))) for line in cells]
    lines.insert(1, "  ".join("-" * w for w in widths))
    lines += [f"{r['server']} HTTP/{r['upstream_http']} at {r['connections']}: {r['skipped']}"
              for r in rows if "skipped" in r]
    return "\n".join(lines)
