"""How much of this machine a process may compute with: physical cores, affinity, cgroup quotas; and the threads for that.

Linux only; elsewhere nothing is told, and llama.cpp chooses by itself. Sources: sched_setaffinity(2), cgroups(7), the
kernel's documentation of cgroup v1 (`cpu.cfs_quota_us`) and v2 (`cpu.max`), and of the CPU topology in sysfs. Every
function takes the root of the file system, so that a machine can be made up.
"""

from __future__ import annotations

import math
import os
import platform
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tui.core.text import count_of, safe_line

ROOT = Path("/")

LEAVE_ONE_FROM = 4
"""From so many cores on one of them is left to the terminal and to whatever else runs."""


@dataclass(frozen=True, slots=True)
class Cores:
    """What this process may use: `physical` cores, at least 1, and a `quota` in cores, such as 0.5; None = no quota."""

    physical: int
    quota: float | None = None

    @property
    def batch_threads(self) -> int:
        """Threads to read a prompt with: all cores, but never more than the quota rounded up."""
        if self.quota is None:
            return self.physical
        return max(1, min(self.physical, math.ceil(self.quota)))

    @property
    def threads(self) -> int:
        """Threads to write an answer with: `batch_threads`, but one core fewer from four on."""
        most = self.physical - 1 if self.physical >= LEAVE_ONE_FROM else self.physical
        return min(most, self.batch_threads)


def usable_cores(root: Path = ROOT, affinity: Collection[int] | None = None) -> Cores | None:
    """The cores that this process may use; None where the system does not tell. `affinity` are the numbers of the
    logical processors that it may run on, None = what the system says."""
    if affinity is None:
        if sys.platform != "linux":
            return None
        affinity = os.sched_getaffinity(0)
    if not affinity:
        return None
    return Cores(_physical(root, affinity), cpu_quota(root))


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """What all processors of the machine have done since it was started, in the kernel's ticks."""

    busy: int
    total: int
    processors: int

    def cores_busy_since(self, before: ProcessorTime) -> float:
        """How many processors were busy on average since then; 0 where no time has passed."""
        passed = self.total - before.total
        return max(0.0, (self.busy - before.busy) / passed * self.processors) if passed > 0 else 0.0


def processor_time(root: Path = ROOT) -> ProcessorTime | None:
    """What the processors have done so far (proc_stat(5)); None where that is not told."""
    try:
        lines = (root / "proc/stat").read_text(encoding="ascii").splitlines()
        ticks = [int(field) for field in lines[0].split()[1:9]]  # guest time is in user time already
    except (OSError, ValueError, IndexError):
        return None
    processors = sum(line.startswith("cpu") for line in lines) - 1
    if len(ticks) < 4 or processors < 1:
        return None
    idle = sum(ticks[3:5])  # idle, and waiting for a disk
    return ProcessorTime(sum(ticks) - idle, sum(ticks), processors)


@dataclass(frozen=True, slots=True)
class LoadSample:
    """What the processors have done so far, and how much of it some processes of ours have, in ticks."""

    all: ProcessorTime
    own: int

    def others_since(self, before: LoadSample) -> float:
        """How many processors others than those processes kept busy since then."""
        passed = self.all.total - before.all.total
        if passed <= 0:
            return 0.0
        busy = (self.all.busy - before.all.busy) - max(0, self.own - before.own)
        return max(0.0, busy / passed * self.all.processors)


def load_sample(processes: Collection[int], root: Path = ROOT) -> LoadSample | None:
    """A sample now, with those processes as ours (proc_pid_stat(5)); None where that is not told."""
    all_of_it = processor_time(root)
    if all_of_it is None:
        return None
    own = 0
    for process in processes:
        try:
            fields = (
                (root / f"proc/{process}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
            own += int(fields[11]) + int(fields[12])
        except (OSError, ValueError, IndexError):
            continue  # it has ended
    return LoadSample(all_of_it, own)


def description(root: Path = ROOT) -> str:
    """This machine in words, by what makes models fast or slow on it: `AMD EPYC 7763, 2 cores`. It names no host."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^(?:model name|Processor|cpu model|Hardware)\s*:\s*(.+)$", text, re.MULTILINE)
    name = safe_line(named[1], 60) if named else f"{platform.system()} {platform.machine()}"
    cores = usable_cores(root)
    count = cores.batch_threads if cores is not None else os.cpu_count() or 1
    return f"{name}, {count_of(count, 'core')}"


def cpu_quota(root: Path = ROOT) -> float | None:
    """The tightest quota, in cores, of the process's control group and all groups above it; None = none is set."""
    quotas = [quota for folder in control_groups(root) if (quota := _quota_of(folder)) is not None]
    return min(quotas, default=None)


def _physical(root: Path, affinity: Collection[int]) -> int:
    """How many physical cores those logical processors are on; a processor of which that is not told counts as one."""
    listed = _cpuinfo(root)
    cores: set[str] = set()
    for number in affinity:
        topology = root / f"sys/devices/system/cpu/cpu{number}/topology"
        for name in ("core_cpus_list", "thread_siblings_list"):  # the new name and the one before Linux 5.3
            try:
                cores.add((topology / name).read_text(encoding="ascii").strip())
                break
            except (OSError, ValueError):
                continue
        else:
            cores.add(listed.get(number, f"processor {number}"))
    return max(1, len(cores))


def _cpuinfo(root: Path) -> dict[int, str]:
    """The core of each logical processor as /proc/cpuinfo has it, where sysfs is not mounted."""
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[int, str] = {}
    for block in text.split("\n\n"):
        fields = {
            name.strip(): value.strip()
            for name, _, value in (line.partition(":") for line in block.splitlines())
        }
        core = fields.get("core id")
        if core is not None and fields.get("processor", "").isdigit():
            found[int(fields["processor"])] = f"core {core} of {fields.get('physical id', '0')}"
    return found


def control_groups(root: Path, controller: str = "cpu") -> Iterator[Path]:
    """The folders of the process's control groups that may limit what `controller` is for, and of all groups above them."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
        mounts = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        unified = number == "0" and not controllers
        if not unified and controller not in controllers.split(","):
            continue
        for mount in mounts:
            if (place := _mounted_at(mount, unified, controller)) is not None:
                top, point = place
                yield from _upwards(root / point.lstrip("/"), _below(group, top))


def _mounted_at(line: str, unified: bool, controller: str) -> tuple[str, str] | None:
    """The group that is at the top of a mounted hierarchy, and the folder that it is mounted at (proc_pid_mountinfo(5));
    None for the mounts of anything but version 2, or with not `unified` the `controller` of version 1."""
    before, _, after = line.partition(" - ")
    fields, kind = before.split(), after.split()
    if len(fields) < 5 or len(kind) < 3:
        return None
    version_1 = kind[0] == "cgroup" and controller in kind[2].split(",")
    fits = kind[0] == "cgroup2" if unified else version_1
    return (_unescaped(fields[3]), _unescaped(fields[4])) if fits else None


def _below(group: str, top: str) -> str:
    """The path of `group` under the group `top`. Outside of it, as in a container that sees another's mount, it is `top`."""
    path, above = PurePosixPath(group), PurePosixPath(top)
    return str(path.relative_to(above)) if path.is_relative_to(above) and ".." not in path.parts else "."


def _upwards(point: Path, below: str) -> Iterator[Path]:
    folder = point / below
    while True:
        yield folder
        if folder == point:
            return
        folder = folder.parent


def _unescaped(text: str) -> str:
    """A path in mountinfo, where blanks and backslashes are octal."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _quota_of(folder: Path) -> float | None:
    """The quota that one group sets, in cores."""
    try:
        limit, period = (folder / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            limit = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
    try:
        microseconds, every = int(limit), int(period)  # "max" and -1 are no limit
    except ValueError:
        return None
    return microseconds / every if microseconds > 0 and every > 0 else None
