"""The contract: in a container of so much memory, so many calls, no error and no kill.

plateau is given no limits at all: it finds the container's limit by itself and plans with it. Skipped, in words, where no
memory cgroup can be made (it takes root) and for a sanitizer's build, whose memory is another.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from support import Messaging, Plateau

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from sampling import CgroupUnavailable, MemoryCgroup  # noqa: E402

PLATEAU = pathlib.Path(os.environ["PLATEAU_BIN"])
LOADER = PLATEAU.parent / "bench_loader"
MIB = 1 << 20


def sanitized():
    binary = PLATEAU.read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


@unittest.skipIf(sanitized(), "a sanitizer's memory is not plateau's")
class InAContainer(unittest.TestCase):
    def check(self, mib, calls, http, *options):
        try:
            with MemoryCgroup(mib * MIB) as cgroup:
                self.check_in(cgroup, mib, calls, http, *options)
        except CgroupUnavailable as reason:
            self.skipTest(str(reason))

    def check_in(self, cgroup, mib, calls, http, *options):
        with Messaging("--quiet", "--delay-ms", "200", *options) as messaging:
            plateau = Plateau(messaging, f'"{http}"')
            plateau.configuration = re.sub(r"limits: .*\n", "", plateau.configuration)
            plateau.prepare = cgroup.join
            with plateau:
                self.assertIn(f"memory_mib={mib} source=\"the container's limit", plateau.log())
                result = self.load(plateau, calls)
                self.assertEqual(result["errors"], 0, result)
                self.assertGreater(result["calls"], calls)
                self.assertEqual(plateau.stop(), 0)
            report = cgroup.report()
            self.assertEqual(report["oom_kill"], 0)
            self.assertLess(report["usage_peak_mib"], mib)
            print(f"HTTP/{http}: {calls} calls in {mib} MiB: peak {report['usage_peak_mib']:.1f} MiB", file=sys.stderr)

    def load(self, plateau, calls):
        done = subprocess.run(
            [LOADER, "--url", f"http://127.0.0.1:{plateau.port}/mcp", "--connections", str(calls),
             "--requests", str(calls * 10), "--timeout-ms", "60000", "--json"],
            stdout=subprocess.PIPE, check=False)
        return json.loads(done.stdout.decode().strip().splitlines()[-1])

    def test_1500_calls_over_http_1_in_64_mib(self):
        self.check(64, 1500, "1.1", "--http1")

    def test_1500_calls_over_http_2_in_32_mib(self):
        self.check(32, 1500, "2")


if __name__ == "__main__":
    unittest.main()
