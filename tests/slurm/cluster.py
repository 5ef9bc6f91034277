"""A Slurm cluster on one machine: a controller and three nodes, one with fake GPUs, below one folder and on free ports.

A node is a namespace of processes and mounts: killing its first process, slurmd, takes every job with it, like a power cut; its
/etc/slurm is the cluster's, because steps of a job do not inherit SLURM_CONF.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
NODES = {"cpu1": 0, "cpu2": 0, "gpu1": 2}  # GPUs
# config_overrides lets a node claim CPUs that the machine lacks. cred_expire is also how long a requeued job waits.
SLURM_CONF = """
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
MinJobAge=3600
SlurmdTimeout=15
ReturnToService=2
KillWait=2
NodeName=DEFAULT CPUs=2 CoresPerSocket=2 RealMemory=8000
{nodes}
PartitionName=cpu Nodes=cpu1,cpu2 Default=YES State=UP
PartitionName=gpu Nodes=gpu1 State=UP
"""
NODE_CONF = "NodeName={name} NodeHostName={host} NodeAddr=127.0.0.1 Port={port} Gres=gpu:{gpus}"

# Nothing outlives what started it.
MORTAL = ("setpriv", "--pdeathsig", "KILL")
NAMESPACE = ("unshare", "--pid", "--mount-proc", "--fork", "--kill-child")


def obstacle() -> str | None:
    """What keeps a cluster from starting here, once the packages are installed where they can be; None: nothing."""
    if os.geteuid() != 0:
        return "a Slurm cluster needs root"
    if subprocess.run([*MORTAL, *NAMESPACE, "true"], capture_output=True).returncode:
        return "no namespaces may be made here"
    if not all(map(shutil.which, ("slurmctld", "slurmd", "sbatch", "munged"))):
        if not shutil.which("apt-get"):
            return "Slurm is neither installed nor to be had from apt-get"
        # The run level keeps the packages from starting their own daemons.
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for step in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            result = subprocess.run(["apt-get", "-qq", *step], env=quiet, capture_output=True, text=True)
        if result.returncode:
            return f"apt-get cannot install Slurm: {result.stderr.strip().splitlines()[-1]}"
    return None


def free_ports(number: int) -> list[int]:
    """Ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(condition: Callable[[], object], seconds: float = 60) -> object:
    """Poll a condition and return the first true value; TimeoutError after so many seconds."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{seconds} s passed")
        time.sleep(0.1)
    return value


class Cluster:
    """Daemons and configuration of a running cluster; a context manager that leaves no process behind."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self.daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        self._configure()
        munge = {name: self.folder / f"munge.{name}" for name in ("key", "socket", "pid", "seed")}
        munge["key"].write_bytes(os.urandom(128))
        munge["key"].chmod(0o400)
        arguments = [f"--{name}" if name == "socket" else f"--{name}-file" for name in munge]
        try:
            # forced, because the folder of a test is closed to other users
            self._start("munged", "--foreground", "--force", *[f"{a}={path}" for a, path in zip(arguments, munge.values())])
            wait_until(munge["socket"].exists)
            self._start("slurmctld", "-D")
            for name in NODES:
                mounted = f"mount --bind {self.folder} /etc/slurm && exec slurmd -D -N {name}"
                self._start(*NAMESPACE, "sh", "-c", mounted, name=name)
            wait_until(lambda: self._ask("sinfo", "--noheader", "--Node", "--format=%T").split() == ["idle"] * len(NODES))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(self.daemons):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill a daemon and, if it is a node, everything that runs on it."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def jobs(self) -> list[dict[str, str]]:
        """What the controller knows of every job so far: JobState, Comment, NodeList, TRES, Restarts ..."""
        lines = self._ask("scontrol", "--oneliner", "show", "jobs").splitlines()
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.startswith("JobId=")]

    def _configure(self) -> None:
        """Write slurm.conf and gres.conf, and make the devices that stand for GPUs."""
        host, (port, *ports) = socket.gethostname().split(".")[0], free_ports(1 + len(NODES))
        nodes = [NODE_CONF.format(name=name, host=host, port=each, gpus=gpus) for (name, gpus), each in zip(NODES.items(), ports)]
        text = SLURM_CONF.format(host=host, port=port, folder=self.folder, nodes="\n".join(nodes))
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "gres.conf").write_text(f"NodeName=gpu1 Name=gpu File={self.folder}/gpu[0-1]\n")
        for index in range(NODES["gpu1"]):
            subprocess.run(["mknod", str(self.folder / f"gpu{index}"), "c", "1", "3"], check=True)
        (self.folder / "state").mkdir()
        (self.folder / "spool").mkdir()

    def _start(self, *command: str, name: str | None = None) -> None:
        name = name or command[0]
        with open(self.folder / f"{name}.log", "wb") as log:
            self.daemons[name] = subprocess.Popen([*MORTAL, *command], env=self.environment, stdout=log, stderr=log)

    def _ask(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout
