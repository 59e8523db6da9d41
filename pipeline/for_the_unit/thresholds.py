"""What each measure would be if persons were taken for one more readily, or less so: for the unit alone.

Of an office that knows persons by name and birth. Who is one person says whose race and citizenship a decision has, who was
there before, and how many people there are; so all is counted again, from the exports on, at the loosest and the strictest
threshold that `pipeline/ingest/linkage.yml` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from pipeline.contract import load_contract
from pipeline.database import open_database
from pipeline.ingest.land import land
from pipeline.ingest.link import Doubtful, ends, model
from pipeline.ingest.office import Office
from pipeline.measures import ALL

_KEY = ["measure_id", "race", "citizenship", "stratum"]


def threshold_table(
    measures: pd.DataFrame,
    *,
    office: Office,
    raw: Path,
    work: Path,
    measured: Callable[[Path, Path], pd.DataFrame],
) -> pd.DataFrame:
    """The rows of the long table of the whole period, by race or by citizenship, with `threshold` and `is_used`, ordered.

    `measures` is that table at the office's own threshold; `measured` makes it from a landed database, in a folder that
    is thrown away. Raises `AuditError` as landing does.
    """
    used = office.linkage_threshold or float(model()["threshold"])
    found = [_whole(measures).assign(threshold=used, is_used=True)]
    for threshold in ends(used):
        with TemporaryDirectory(dir=work) as folder:
            database = Path(folder) / "audit.duckdb"
            land(
                office=replace(office, linkage_threshold=threshold),
                contract=load_contract(),
                raw=raw,
                database=database,
                work=Path(folder),
            )
            found.append(_whole(measured(database, Path(folder))).assign(threshold=threshold, is_used=False))
    return pd.concat(found, ignore_index=True).sort_values([*_KEY, "threshold"], kind="stable", ignore_index=True)


def list_doubtful(doubtful: Sequence[Doubtful], *, database: Path) -> None:
    """Add the fact `marts.mart_linkage__doubtful` to a built database: one row per person to be looked at, by key."""
    columns = {"person": "person_id", "weakest": "weakest_link", "nearest": "nearest_link", "nearest_person": "nearest_person_id"}  # fmt: skip
    frame = pd.DataFrame([asdict(one) for one in doubtful], columns=[one.name for one in fields(Doubtful)])
    with open_database(database, read_only=False) as connection:
        connection.register("doubtful", frame.rename(columns=columns))
        connection.execute("create table marts.mart_linkage__doubtful as from doubtful order by person_id")


def _whole(measures: pd.DataFrame) -> pd.DataFrame:
    by_one = measures["race"].eq(ALL) | measures["citizenship"].eq(ALL)
    whole = measures["period"].eq(ALL) & measures["offence_group"].eq(ALL)
    return measures[whole & by_one & measures["status"].ne("not_computable")]
