#!/usr/bin/env python3
"""Draws what ./dev bench or ./dev soak measured. usage: chart.py RESULTS.json OUT.svg"""
import json
import pathlib
import sys

COLOURS = {"nginx": "#8a8f98", "plateau HTTP/1.1": "#0b6e99", "plateau HTTP/2": "#54b3d6"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 440, 260, 52, 44, 40


class Drawing:
    def __init__(self, width, height):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                      f'width="{width}" height="{height}" font-family="sans-serif" '
                      f'font-size="12" fill="#333">',
                      f'<rect width="{width}" height="{height}" fill="#fff"/>']

    def text(self, x, y, words, anchor="start", more=""):
        words = str(words).replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{words}'
                          "</text>")

    def rect(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height:.1f}" fill="{colour}"/>')

    def line(self, points, colour, width=1):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def save(self, path):
        path.write_text("\n".join(self.parts + ["</svg>"]) + "\n")


def name_of(row):
    """What a series is called; nginx only ever speaks HTTP/1.1 to the upstream."""
    return (f"plateau HTTP/{row['upstream_http']}" if row["server"] == "plateau"
            else row["server"])


def round_up(value):
    for step in (1, 2, 2.5, 5, 10):
        scale = 10 ** (len(str(int(max(value, 1)))) - 1)
        if value <= step * scale:
            return step * scale
    return value


def axis(d, x0, title, top):
    """The frame of a panel; returns what turns a value into a height on the page."""
    floor, ceiling = HEIGHT - BOTTOM, TOP + 18
    d.text(x0, 20, title, more=' font-weight="bold"')
    for i in range(5):
        y = floor - (floor - ceiling) * i / 4
        d.line([(x0 + LEFT, y), (x0 + WIDTH - 12, y)], "#ddd" if i else "#666")
        d.text(x0 + LEFT - 6, y + 4, f"{top * i / 4:g}", "end")
    return lambda value: floor - (floor - ceiling) * value / top


def legend(d, x0, names):
    for i, name in enumerate(names):
        d.rect(x0 + LEFT + 118 * i, 30, 10, 10, COLOURS[name])
        d.text(x0 + LEFT + 14 + 118 * i, 39, name, more=' font-size="11"')


def bars(d, x0, title, rows, value, limit=None):
    names = list(dict.fromkeys(name_of(r) for r in rows))
    groups = sorted({r["connections"] for r in rows})
    height = axis(d, x0, title, round_up(max([value(r) for r in rows] + [limit or 0])))
    legend(d, x0, names)
    step = (WIDTH - LEFT - 12) / len(groups)
    width = step * 0.8 / len(names)
    for row in rows:
        left = x0 + LEFT + step * groups.index(row["connections"]) + step * 0.1
        left += width * names.index(name_of(row))
        y = height(value(row))
        d.rect(left, y, width - 2, HEIGHT - BOTTOM - y, COLOURS[name_of(row)])
        d.text(left + width / 2 - 1, y - 3, f"{value(row):.0f}", "middle", ' font-size="10"')
    for i, group in enumerate(groups):
        d.text(x0 + LEFT + step * (i + 0.5), HEIGHT - BOTTOM + 16, f"{group} in flight", "middle")
    if limit:
        d.line([(x0 + LEFT, height(limit)), (x0 + WIDTH - 12, height(limit))], "#c0392b")
        d.text(x0 + LEFT + 6, height(limit) - 4, f"plateau's limit, {limit:g} MiB", "start",
               ' fill="#c0392b" font-size="11"')


def rss_over_time(d, x0, rows):
    """From the first connection on, with as many calls in flight as were measured at most."""
    most = max(r["connections"] for r in rows)
    rows = [r for r in rows if r["connections"] == most]
    height = axis(d, x0, f"Resident memory with {most} calls in flight, MiB",
                  round_up(max(max(r["rss_series_mib"]) for r in rows)))
    legend(d, x0, [name_of(r) for r in rows])
    last = max(len(r["rss_series_mib"]) for r in rows)
    for row in rows:
        d.line([(x0 + LEFT + (WIDTH - LEFT - 12) * i / last, height(rss))
                for i, rss in enumerate(row["rss_series_mib"])], COLOURS[name_of(row)], 2)
    d.text(x0 + WIDTH - 12, HEIGHT - BOTTOM + 16, f"{last / 4:.0f} seconds", "end")


def draw_bench(data, out):
    # One connection is left out: its few calls pay for the server's housekeeping, not for calls.
    # The Python peers are left out too: beside them, nothing else could be told apart.
    rows = [r for r in data["rows"] if "skipped" not in r and r["connections"] > 1
            and r["server"] in ("nginx", "plateau")]
    d = Drawing(3 * WIDTH, HEIGHT)
    bars(d, 8, "CPU time of the server, us a call", rows, lambda r: r["cpu_us_per_call"])
    rss_over_time(d, 2 * WIDTH + 8, rows)
    bars(d, WIDTH + 8, "Peak of its resident memory, MiB", rows, lambda r: r["rss_peak_mib"],
         data["about"].get("memory_mib"))
    d.save(out)


def draw_soak(data, out):
    d = Drawing(2 * WIDTH, HEIGHT)
    names = [f"plateau HTTP/{r['http']}" for r in data["runs"]]
    panels = (("Resident memory, MiB", "rss"), ("Open descriptors", "descriptors"))
    for panel, (title, key) in enumerate(panels):
        x0 = panel * WIDTH + 8
        top = max(s[key] for r in data["runs"] for s in r["series"])
        last = max(s["s"] for r in data["runs"] for s in r["series"])
        height = axis(d, x0, title, round_up(top))
        legend(d, x0, names)
        for name, run in zip(names, data["runs"]):
            d.line([(x0 + LEFT + (WIDTH - LEFT - 12) * s["s"] / last, height(s[key]))
                    for s in run["series"]], COLOURS[name], 2)
        d.text(x0 + WIDTH - 12, HEIGHT - BOTTOM + 16, f"{last / 60:.0f} minutes", "end")
    d.save(out)


def main():
    data, out = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    (draw_soak if "runs" in data else draw_bench)(data, out)


if __name__ == "__main__":
    main()
