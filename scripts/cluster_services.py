"""Services of a cluster on this machine, in a folder and at free ports, stopped at the end of a block."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SLURM = """
ClusterName=demo
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MailProg=/bin/true
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node1} CPUs={cpus} State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={node2} CPUs={cpus} State=UNKNOWN
PartitionName=demo Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def say(words: str) -> None:
    """Tell the terminal, with the time."""
    print(f"[{time.strftime('%H:%M:%S')}] {words}", flush=True)


def output(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def end(process: subprocess.Popen[bytes], *, how: int = signal.SIGTERM, within_s: float = 10) -> None:
    """Ask a process to end, and kill it where it does not."""
    process.send_signal(how)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def postgres_programs() -> Path | None:
    """The folder of Postgres' programs, which Debian does not put into the path."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextlib.contextmanager
def postgres(folder: Path, programs: Path) -> Iterator[str]:
    """A server; the address of its database."""
    place, port = folder / "postgres", free_port()
    place.mkdir()
    run: list[str] = []
    if os.geteuid() == 0:  # Postgres refuses to work as root
        shutil.chown(place, "postgres")
        run = ["runuser", "-u", "postgres", "--"]
    quiet = {"cwd": place, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*run, programs / "initdb", "-D", place / "data", "-A", "trust", "-U", "tdw"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place}"
    control = [*run, programs / "pg_ctl", "-D", place / "data", "-w", "-l", place / "log"]
    subprocess.run([*control, "-o", options, "start"], **quiet)
    try:
        yield f"postgresql+psycopg2://tdw@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], **quiet)


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[None]:
    """Munge, the controller and two nodes; sets $SLURM_CONF."""
    place = folder / "slurm"
    place.mkdir(mode=0o755)
    key = place / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    configuration = place / "slurm.conf"
    ports = {name: free_port() for name in ("control", "node1", "node2")}
    cpus = os.cpu_count() or 1
    configuration.write_text(
        SLURM.format(folder=place, host=socket.gethostname().split(".")[0], cpus=cpus, **ports)
    )
    os.environ["SLURM_CONF"] = str(configuration)
    files = [f"--key-file={key}", f"--socket={place}/munge.socket", f"--pid-file={place}/munge.pid"]
    files += [f"--log-file={place}/munge.log", f"--seed-file={place}/munge.seed"]
    started: list[subprocess.Popen[bytes]] = []
    log = (place / "servers.log").open("wb")

    def start(*command: str) -> None:
        started.append(subprocess.Popen(command, stdout=log, stderr=log))
        time.sleep(1.5)

    try:
        start("munged", "--foreground", "--force", *files)
        start("slurmctld", "-D", "-f", str(configuration))
        for node in ("n1", "n2"):
            start("slurmd", "-D", "-f", str(configuration), "-N", node)
        deadline = time.monotonic() + 60
        while "idle" not in (nodes := output("sinfo", "--noheader", "--format=%N %t")):
            if time.monotonic() > deadline:
                logs = [place / name for name in ("slurmctld.log", "slurmd.n1.log", "servers.log")]
                said = "\n".join(log.read_text(errors="replace")[-1500:] for log in logs if log.exists())
                sys.exit(f"SLURM's nodes did not come up: {nodes}\n{said}")
            time.sleep(1)
        say(f"SLURM is up: {nodes.strip()}")
        yield
    finally:
        # Jobs, and what waits for them, would outlive their servers.
        deadline = time.monotonic() + 30
        while (jobs := output("squeue", "--noheader", "--format=%i").split()) and time.monotonic() < deadline:
            output("scancel", *jobs)
            time.sleep(1)
        for process in reversed(started):
            end(process)
        log.close()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A server that keeps nothing on disk; its address."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log)
    try:
        while not _answers(port):
            if server.poll() is not None:
                sys.exit(f"redis-server ended: {(folder / 'redis.log').read_text(errors='replace')[-1500:]}")
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        end(server)


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def celery_workers(folder: Path, names: tuple[str, ...], home: Path) -> Iterator[dict[str, int]]:
    """Workers with a slot each and a host name of their own, so that each stands for a machine.

    Yields:
        Name -> process group, until it has been killed.
    """
    # It starts `celery` by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    start = ["dagster-celery", "worker", "start", "-A", "dagster_celery.app", "-y", str(home / "worker.yaml")]
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in names:
            words = ["unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', name]
            words += [*start, "-n", name, "--", "--concurrency=1"]
            with (folder / f"{name}.log").open("wb") as log:
                started[name] = subprocess.Popen(
                    words,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "PATH": path, "DAGSTER_HOME": str(home)},
                )
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in started.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
