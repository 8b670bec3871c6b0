"""What a process costs, read from /proc and from its memory cgroup."""
import os
import pathlib
import threading

MIB = 1024 * 1024


def cpu_seconds(pid):
    """CPU time of all threads so far. schedstat counts nanoseconds, stat only ticks of 10 ms."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return sum(int(pathlib.Path(f"/proc/{pid}/task/{t}/schedstat").read_text().split()[0])
                   for t in tasks) / 1e9
    except (FileNotFoundError, IndexError):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields_kib(path):
    result = {}
    for line in pathlib.Path(path).read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith("kB"):
            result[name] = int(rest.split()[0])
    return result


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def memory_mib(pid):
    """Peak and present RSS, and what of it is this process's own."""
    status = _fields_kib(f"/proc/{pid}/status")
    rollup = _fields_kib(f"/proc/{pid}/smaps_rollup")
    return {"rss_peak": status["VmHWM"] / 1024, "rss": status["VmRSS"] / 1024,
            "pss": rollup["Pss"] / 1024, "private_dirty": rollup["Private_Dirty"] / 1024}


class Sampler:
    """Follows the RSS of a process in a thread of its own, four times a second."""

    def __init__(self, pid):
        self.pid, self.rss_mib = pid, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self):
        while not self._stop.wait(0.25):
            try:
                self.rss_mib.append(_fields_kib(f"/proc/{self.pid}/status")["VmRSS"] / 1024)
            except (FileNotFoundError, KeyError, ProcessLookupError):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class CgroupUnavailable(Exception):
    pass


class MemoryCgroup:
    """A memory cgroup with a limit, of version 1 or 2, gone when the `with` is left."""

    ROOT = pathlib.Path("/sys/fs/cgroup")

    def __init__(self, limit_bytes):
        self.version = 1 if (self.ROOT / "memory").is_dir() else 2
        root = self.ROOT / "memory" if self.version == 1 else self.ROOT
        self.path = root / f"plateau-bench-{os.getpid()}"
        try:
            if self.version == 2:
                controllers = (root / "cgroup.subtree_control").read_text().split()
                if "memory" not in controllers:
                    (root / "cgroup.subtree_control").write_text("+memory")
            self.path.mkdir()
        except OSError as error:
            raise CgroupUnavailable(f"no memory cgroup can be made here: {error}") from error
        try:
            self._write_limit(limit_bytes)
        except OSError as error:
            self.path.rmdir()
            raise CgroupUnavailable(f"the memory limit cannot be set: {error}") from error

    def _write_limit(self, limit_bytes):
        if self.version == 2:
            (self.path / "memory.max").write_text(str(limit_bytes))
            if (self.path / "memory.swap.max").exists():
                (self.path / "memory.swap.max").write_text("0")
            return
        (self.path / "memory.limit_in_bytes").write_text(str(limit_bytes))
        with_swap = self.path / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            with_swap.write_text(str(limit_bytes))

    def join(self):
        """Called in the child, before it becomes the server."""
        (self.path / "cgroup.procs").write_text("0")

    def _counter(self, name, field):
        for line in (self.path / name).read_text().splitlines():
            if line.startswith(field + " "):
                return int(line.split()[1])
        return 0

    def report(self):
        peak, events = (("memory.max_usage_in_bytes", "memory.oom_control")
                        if self.version == 1 else ("memory.peak", "memory.events"))
        file = self.path / peak
        stat = self._counter("memory.stat", "rss" if self.version == 1 else "anon")
        return {"usage_peak_mib": int(file.read_text()) / MIB if file.exists() else None,
                "anonymous_mib": stat / MIB, "oom_kill": self._counter(events, "oom_kill")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.rmdir()
