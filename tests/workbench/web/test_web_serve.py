"""`tdw serve`: the same pages without Dagster, stopped by Ctrl-C."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from tdw.store import Store


def test_serve_answers_with_our_json_and_stops_on_ctrl_c(tiny_store: Store) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tdw_workbench.cli", "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--store", str(tiny_store.root)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WEB_CONCURRENCY": "4"},  # of another server: it must not end this one
    )
    try:
        told = {}
        for _ in range(2400):
            with contextlib.suppress(OSError):
                told = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/tdw/ping").read())
                break
            assert process.poll() is None
            time.sleep(0.05)
        assert told["ok"] is True
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0  # for a server this is the normal end
    assert f"http://127.0.0.1:{port}/tdw/" in output
