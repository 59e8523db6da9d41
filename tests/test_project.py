"""The rules that the whole project keeps, as far as its files can show them."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from pipeline import __version__
from pipeline.contract import ROOT, load_contract

FILES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]  # fmt: skip
TEXTS = {path: path.read_text(encoding="utf-8", errors="ignore") for path in FILES}
MODELS = sorted((ROOT / "models").rglob("*.sql"))
OFFICES = sorted(path.parent for path in (ROOT / "pipeline" / "offices").glob("*/office.yml"))


def shown(paths: list[Path]) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def test_the_top_level_is_the_one_that_was_agreed():
    agreed = {
        "pyproject.toml", "pipeline", "models", "notebooks", "data", "expectations", "tests", "README.md",
        "dbt_project.yml", "requirements.lock", "requirements-spark.lock", "Makefile", "LICENSE", "CITATION.cff",
        "CHANGELOG.md",
    }  # fmt: skip
    assert {name for name in {p.relative_to(ROOT).parts[0] for p in FILES} if not name.startswith(".")} == agreed


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_model_states_its_grain_on_its_first_line(model):
    assert re.match(r"-- One row( per \w+|:)", TEXTS.get(model) or model.read_text(encoding="utf-8"))


def test_every_table_and_column_of_the_contract_is_described():
    contract = load_contract()
    nameless = [
        t.name for t in contract.values() if not t.description.strip() or not t.grain.startswith("One row per ")
    ]
    nameless += [
        f"{t.name}.{c.name}" for t in contract.values() for c in t.columns.values() if not c.description.strip()
    ]
    assert nameless == []


def test_every_key_of_the_contract_is_a_column_of_its_table():
    assert [t.name for t in load_contract().values() if not set(t.key) <= set(t.columns)] == []


def test_every_reference_of_the_contract_leads_to_an_identifier():
    contract = load_contract()
    references = [c.references for t in contract.values() for c in t.columns.values() if c.references]
    assert [f"{t}.{c}" for t, c in references if contract[t].columns[c].kind != "id"] == []


def test_every_measure_says_which_columns_of_the_contract_it_needs():
    """Beside the contract, a measure may need an answer of the reference tables, which an intermediate model gives."""
    contract = load_contract()
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8", newline="") as stream:
        measures = list(csv.DictReader(stream))
    wrong = [
        f"{measure['measure_id']} {needed}"
        for measure in measures
        for needed in measure["required_columns"].replace("|", " ").split()
        if (table := needed.split(".")[0]) in contract and needed.split(".")[1] not in contract[table].columns
    ]
    assert wrong == []
    assert [m["measure_id"] for m in measures if not m["required_columns"].strip()] == []


@pytest.mark.parametrize("office", OFFICES, ids=lambda path: path.name)
def test_an_office_is_a_folder_of_the_same_shape_as_every_other(office):
    names = {path.name for path in office.iterdir()}
    optional = {"control_totals.csv", "corrections.yml", "checks.yml", "effects.yml", "measures.yml"}
    assert {"office.yml"} <= names <= {"office.yml", "codes", *optional}
    assert {path.suffix for path in office.rglob("*") if path.is_file()} <= {".yml", ".csv"}


@pytest.mark.parametrize("office", OFFICES, ids=lambda path: path.name)
def test_an_office_goes_by_the_name_of_its_folder(office):
    assert yaml.safe_load((office / "office.yml").read_text(encoding="utf-8"))["office"] == office.name


def test_no_file_names_a_place_on_somebodys_machine():
    place = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w|[A-Z]:\\{1,2}Users")
    assert (
        shown([path for path, text in TEXTS.items() if place.search(text) and path != Path(__file__).resolve()]) == []
    )


def test_today_does_not_exist():
    """Seconds are measured in progress.py alone, for run.json; and who looks at cases is logged with the hour."""
    clock = re.compile(
        r"datetime\.now|\.today\(|utcnow|time\.time\(|perf_counter|\bcurrent_date\b|\bcurrent_timestamp\b|\bnow\(\)"
    )
    # A list of the SQL functions that a mapping may not use has to name them.
    allowed = {ROOT / "pipeline" / name for name in ("progress.py", "ingest/expression.py", "report/access_log.py")}
    folders = (ROOT / "pipeline", ROOT / "models", ROOT / "expectations")
    code = [p for p in TEXTS if p.suffix in (".py", ".sql", ".yml") and any(p.is_relative_to(f) for f in folders)]
    assert shown([path for path in code if clock.search(TEXTS[path]) and path not in allowed]) == []


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_its_outputs(notebook):
    cells = [c for c in json.loads(TEXTS[notebook])["cells"] if c["cell_type"] == "code"]
    assert [c for c in cells if c["outputs"] or c["execution_count"]] == []


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", TEXTS[ROOT / "Makefile"], flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", "\n".join(re.findall(r"`[^`]+`", TEXTS[ROOT / "README.md"]))))
    assert named
    assert named <= targets


def test_every_command_of_the_readme_is_a_command_of_the_program():
    from pipeline.cli import COMMANDS

    named = set(re.findall(r"\biiu ([a-z][a-z-]*)", TEXTS[ROOT / "README.md"]))
    assert named
    assert named <= set(COMMANDS)


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", TEXTS[ROOT / "README.md"])
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_version_is_the_same_wherever_it_stands():
    assert tomllib.loads(TEXTS[ROOT / "pyproject.toml"])["project"]["version"] == __version__
    assert yaml.safe_load(TEXTS[ROOT / "CITATION.cff"])["version"] == __version__
    assert f"## {__version__}" in TEXTS[ROOT / "CHANGELOG.md"]
    assert yaml.safe_load(TEXTS[ROOT / "dbt_project.yml"])["version"] == __version__


def test_the_readme_names_for_each_proposal_the_marts_that_answer_it() -> None:
    marts: dict[str, set[str]] = {}
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8", newline="") as file:
        for measure in csv.DictReader(file):
            for proposal in measure["proposal"].split():
                marts.setdefault(proposal, set()).add(measure["mart"])
    told = re.findall(r"^\| (\d+)\. [^|]+ \| ([^|]+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert {number: set(re.findall(r"`(\w+)`", cells)) for number, cells in told} == marts
