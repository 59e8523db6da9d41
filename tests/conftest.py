"""What holds for every test: no network, no telemetry, and the same draws each time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import settings

os.environ |= {"GX_ANALYTICS_ENABLED": "false", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}

# A failure must come back on the next run, and a slow machine is no failure.
settings.register_profile("same_each_time", derandomize=True, deadline=None)
settings.load_profile("same_each_time")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Nothing may leave this machine; its own servers, as a browser's, may be spoken to."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else ""
            assert host in ("127.0.0.1", "::1", "localhost"), f"a test wanted to reach {address}"
        connect(self, address)  # type: ignore[arg-type]

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", refuse)
    yield
    patch.undo()


# Worlds of the models: imported where used, since dbt takes seconds to import.


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    """The database of the module's `WORLD`, whose scenarios have years of their own since 2000."""
    from tests.worlds import AS_OF, build

    return build(request.module.WORLD, period=(date(2000, 1, 1), AS_OF))


@pytest.fixture
def cells(built: duckdb.DuckDBPyConnection) -> Any:
    """`cells(measure, year)`: numerator and denominator by stratum; without strata the pair alone."""
    from tests.worlds import cells_of

    return lambda measure, year: cells_of(built, measure, year)


@pytest.fixture
def values(built: duckdb.DuckDBPyConnection) -> Any:
    """`values(measure, year)`: how often each (value, outcome) was seen."""
    from tests.worlds import values_of

    return lambda measure, year: values_of(built, measure, year)
