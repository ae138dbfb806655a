"""How many threads the engine computes with, on machines that are made up as trees of files."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.machine_tree import V1_MOUNT, V2_MOUNT, tree
from tui.servers.engine.machine import (
    Cores,
    LoadSample,
    ProcessorTime,
    cpu_quota,
    description,
    load_sample,
    processor_time,
    usable_cores,
)


def v2(group: str, limits: Mapping[str, str], mount: str = V2_MOUNT) -> dict[str, str]:
    """A machine with cgroup v2 whose process is in `group`."""
    return {
        "proc/self/cgroup": f"0::{group}\n",
        "proc/self/mountinfo": mount,
        **{f"sys/fs/cgroup{path}/cpu.max": f"{text}\n" for path, text in limits.items()},
    }


def siblings(*cores: str) -> dict[str, str]:
    """The topology of cores, each the list of its logical processors."""
    return {
        f"sys/devices/system/cpu/cpu{number}/topology/core_cpus_list": f"{core}\n"
        for core in cores
        for number in core.split(",")
    }


@pytest.mark.parametrize(
    ("physical", "quota", "threads", "batch_threads"),
    [
        (1, None, 1, 1),
        (2, None, 2, 2),
        (3, None, 3, 3),
        (4, None, 3, 4),
        (8, None, 7, 8),
        (64, None, 63, 64),
        (2, 0.5, 1, 1),
        (2, 1.5, 2, 2),
        (8, 2.1, 3, 3),
        (8, 8.0, 7, 8),
        (8, 100.0, 7, 8),
    ],
)
def test_threads_leave_room_from_four_cores_on_and_never_pass_the_quota(
    physical: int, quota: float | None, threads: int, batch_threads: int
) -> None:
    cores = Cores(physical, quota)
    assert (cores.threads, cores.batch_threads) == (threads, batch_threads)


def test_two_threads_of_one_core_count_once(tmp_path: Path) -> None:
    root = tree(tmp_path, siblings("0,4", "1,5", "2,6", "3,7"))
    assert usable_cores(root, range(8)) == Cores(4)
    assert usable_cores(root, {0, 4}) == Cores(1)
    assert usable_cores(root, {0, 1}) == Cores(2)


def test_the_name_of_the_topology_before_linux_5_3_is_known(tmp_path: Path) -> None:
    files = {
        path.replace("core_cpus_list", "thread_siblings_list"): text for path, text in siblings("0,1").items()
    }
    assert usable_cores(tree(tmp_path, files), {0, 1}) == Cores(1)


def test_without_sysfs_cpuinfo_tells_the_cores(tmp_path: Path) -> None:
    blocks = [
        f"processor\t: {number}\nmodel name\t: X\nphysical id\t: {socket}\ncore id\t\t: {core}\n"
        for number, (socket, core) in enumerate([(0, 0), (0, 0), (0, 1), (1, 0)])
    ]
    root = tree(tmp_path, {"proc/cpuinfo": "\n".join(blocks)})
    assert usable_cores(root, range(4)) == Cores(3)


def test_where_nothing_is_told_each_processor_is_a_core(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, {0, 1, 2}) == Cores(3)
    assert usable_cores(tmp_path, ()) is None


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({}, None),
        ({"/a/b": "max 100000"}, None),
        ({"/a/b": "50000 100000"}, 0.5),
        ({"/a": "150000 100000", "/a/b": "max 100000"}, 1.5),
        ({"": "20000 10000", "/a": "max 100000", "/a/b": "300000 100000"}, 2.0),
        ({"/other": "10000 100000"}, None),
        ({"/a/b": "nonsense"}, None),
        ({"/a/b": "-1 0"}, None),
    ],
)
def test_the_quota_of_version_2_is_the_tightest_of_all_groups_above(
    tmp_path: Path, limits: dict[str, str], quota: float | None
) -> None:
    assert cpu_quota(tree(tmp_path, v2("/a/b", limits))) == quota


def test_a_group_that_the_mount_begins_at_is_its_top(tmp_path: Path) -> None:
    mount = V2_MOUNT.replace(" / /sys", " /docker/1 /sys")
    assert cpu_quota(tree(tmp_path, v2("/docker/1/x", {"/x": "max 1", "": "70000 100000"}, mount))) == 0.7


def test_a_group_outside_of_the_mount_is_not_looked_for(tmp_path: Path) -> None:
    assert cpu_quota(tree(tmp_path, v2("/../elsewhere", {"": "70000 100000"}))) == 0.7


@pytest.mark.parametrize(
    ("limit", "above", "quota"), [("-1", "-1", None), ("50000", "-1", 0.5), ("-1", "100000", 1.0)]
)
def test_the_quota_of_version_1(tmp_path: Path, limit: str, above: str, quota: float | None) -> None:
    where = "sys/fs/cgroup/cpu,cpuacct"
    files = {
        "proc/self/cgroup": "9:cpuset:/slow\n4:cpu,cpuacct:/a/b\n1:name=systemd:/\n0::/\n",
        "proc/self/mountinfo": V1_MOUNT,
        f"{where}/a/b/cpu.cfs_quota_us": f"{limit}\n",
        f"{where}/a/b/cpu.cfs_period_us": "100000\n",
        f"{where}/a/cpu.cfs_quota_us": f"{above}\n",
        f"{where}/a/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/cpuset/slow/cpu.cfs_quota_us": "1000\n",
        "sys/fs/cgroup/cpuset/slow/cpu.cfs_period_us": "100000\n",
    }
    assert cpu_quota(tree(tmp_path, files)) == quota


def test_half_a_core_of_eight_is_one_thread(tmp_path: Path) -> None:
    files = {**siblings(*map(str, range(8))), **v2("/box", {"/box": "50000 100000"})}
    cores = usable_cores(tree(tmp_path, files), range(8))
    assert cores is not None
    assert (cores.threads, cores.batch_threads) == (1, 1)


def test_how_many_cores_others_keep_busy(tmp_path: Path) -> None:
    def ticks(user: int, idle: int) -> ProcessorTime:
        lines = f"cpu  {user} 0 0 {idle} 0 0 0 0 7 7\ncpu0 1 0 0 1\ncpu1 1 0 0 1\nintr 5\n"
        found = processor_time(tree(tmp_path, {"proc/stat": lines}))
        assert found is not None
        return found

    before = ticks(100, 100)
    assert before.processors == 2
    assert ticks(250, 150).cores_busy_since(before) == 1.5
    assert before.cores_busy_since(before) == 0
    assert processor_time(tree(tmp_path, {"proc/stat": "cpu  x\n"})) is None
    assert processor_time(tmp_path / "nowhere") is None


def test_a_machine_is_described_by_its_processor_and_names_no_host(tmp_path: Path) -> None:
    info = "processor\t: 0\nmodel name\t: A  Processor (R) 9\n\nprocessor\t: 1\n"
    assert description(tree(tmp_path, {"proc/cpuinfo": info})).startswith("A Processor (R) 9, ")
    assert platform.node() not in description(tmp_path / "nowhere")


def test_what_others_keep_busy_is_all_but_our_own(tmp_path: Path) -> None:
    def sample(busy: int, idle: int, own: int) -> LoadSample:
        stat = f"cpu  {busy} 0 0 {idle} 0 0 0 0\ncpu0 1\ncpu1 1\n"
        mine = f"7 (a name) S 1 7 7 0 -1 0 0 0 0 0 {own} 5 0 0\n"
        found = load_sample((7, 8), tree(tmp_path, {"proc/stat": stat, "proc/7/stat": mine}))
        assert found is not None
        return found

    before = sample(0, 0, 0)
    assert sample(180, 20, 60).others_since(before) == pytest.approx(1.2)
    assert sample(50, 150, 60).others_since(before) == 0  # ticks are coarse
    assert before.others_since(before) == 0
    assert load_sample((7,), tmp_path / "nowhere") is None
