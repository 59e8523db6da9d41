from __future__ import annotations
from pathlib import Path


def write_truth(connection, *, county, folder: Path, dirt) -> None:
    import json

    (folder / "dirt.json").write_text(json.dumps(dirt, indent=1))
