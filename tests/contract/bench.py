"""What the tests of the webserver share."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
from starlette.applications import Starlette
from starlette.testclient import TestClient


@dataclass(frozen=True)
class Workbench:
    """A webserver without a code location, and its instance."""

    app: Starlette
    prefix: str
    instance: dg.DagsterInstance

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1:3000")
