"""The release: the public tables as a data package that anybody can check with nothing but the package and `iiu verify`.

An audit writes a draft of it, a function of its input. `release` makes it final: judged together with every release
before it, attacked once more as files, approved by two roles, entered in the ledger, and never changed again.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import __version__
from pipeline.contract import ROOT
from pipeline.disclose import HIDDEN, Published, load_registry, publish, publish_adjusted
from pipeline.disclose.challenge import challenge
from pipeline.disclose.leaks import DECIMALS, leaks
from pipeline.disclose.ledger import FILE as LEDGER
from pipeline.disclose.ledger import Ledger, corrections_in, extended, read_ledger, write_ledger
from pipeline.disclose.registry import CELL
from pipeline.errors import AuditError, Problem, ReleaseRefused
from pipeline.findings import find, judge
from pipeline.ingest.office import nearest
from pipeline.report.tables import PublicData, copy_tables, counted, read_tables, sha256, write_tables
from pipeline.report.words import told
from pipeline.restricted import among, keys_of, opened
from pipeline.whole import alone

SUMS, APPROVALS, SIGNATURE = "SHA256SUMS", "approvals.json", "SHA256SUMS.sig"
SIGNERS, NAMESPACE = "allowed_signers", "release"
PACKAGE, PROVENANCE, FINDINGS = "datapackage.json", "provenance.json", "findings.json"
DICTIONARY = Path(__file__).with_name("dictionary.csv")
#: What says who stands for the other files, and so is not among the files that it speaks of.
NOT_SUMMED = (SUMS, APPROVALS, SIGNATURE)
KEYS = {
    "measures": list(CELL),
    "comparisons": ["contrast", *(c for c in CELL if c != "offence_group")],
    "adjusted": ["estimand", "measure_id", "race", "citizenship"],
}
STATUS = ("ok", HIDDEN, "unreliable", "not_estimable", "not_computable")
_CODE = {".py", ".sql", ".yml", ".csv", ".j2", ".toml", ".lock"}


def write_package(
    *,
    out: Path,
    public: PublicData,
    published: Published,
    checks: pd.DataFrame,
    name: str = "draft",
    written: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Writes the package into a new folder, the same bytes each time; without its sums, so that more can be added.

    `written`: what `write_tables` wrote of `public` elsewhere.
    """
    if written:
        copy_tables(written, out / "data")
    else:
        write_tables(out=out / "data", public=public)
    (out / "data" / "audit.json").unlink()  # it names the office's files; provenance says the same without names
    _csv(published.tables, out / "data" / "hidden.csv")
    shutil.copyfile(DICTIONARY, out / "dictionary.csv")
    _csv(checks[["check_id", "door", "category", "description", "status"]], out / "checks.csv")
    columns = [*("release", "measure_id", "reason"), *CELL[1:]]
    columns += [f"{count}{when}" for when in ("_before", "") for count in ("numerator", "denominator")]
    _csv(pd.DataFrame(list(public.corrections), columns=columns), out / "corrections.csv")
    _json(list(public.findings), out / FINDINGS)
    _json(_provenance(public, published), out / PROVENANCE)
    resources = [_resource(path, out) for path in sorted((out / "data").iterdir()) if path.suffix == ".csv"]
    _json(_descriptor(public, name, resources), out / PACKAGE)
    _json(_dcat(public, name, out), out / "dcat.json")
    (out / "CITATION.cff").write_text(_citation(public, name), encoding="utf-8")


def write_sums(folder: Path) -> None:
    """The hash of every file, as `sha256sum --check` reads it."""
    (folder / SUMS).write_text("".join(f"{h}  {file}\n" for file, h in file_hashes(folder).items()), encoding="utf-8")


def file_hashes(folder: Path) -> dict[str, str]:
    """File -> hash, of all files that the sums speak of."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    names = {p.relative_to(folder).as_posix(): p for p in files}
    return {name: sha256(path) for name, path in names.items() if name not in NOT_SUMMED}


def release(
    *,
    audit: Path,
    to: Path,
    name: str,
    approvals: Mapping[str, str],
    corrections: Mapping[str, str],
    held_back: Collection[str] = (),
    key: Path | None,
) -> Path:
    """Makes the audit in a folder the release `name` below `to`. Returns its folder.

    `to` holds the ledger, each release in a folder of its own and, under restricted/, what later ones are judged with.
    `approvals` says who approves in which role; `corrections` gives the reason for each measure that changes what was
    published; of the measures `held_back` it tells nothing; `key` signs with `ssh-keygen`. Raises ReleaseRefused where the gate refuses; then nothing is written.
    """
    _check_request(audit, to, name, approvals)
    with alone(audit), alone(to), opened(audit) as restricted:
        return _release(audit, restricted, to, name, approvals, corrections, held_back, key)


def _release(
    audit: Path,
    restricted: Path,
    to: Path,
    name: str,
    approvals: Mapping[str, str],
    corrections: Mapping[str, str],
    held_back: Collection[str],
    key: Path | None,
) -> Path:
    public = read_tables(audit / "public")
    measures, comparisons = (counted(pd.read_parquet(restricted / f"{n}.parquet")) for n in ("measures", "comparisons"))
    _check_measures([*corrections, *held_back], measures)
    ledger = _whole_ledger(to)
    records = _records(to, ledger.releases)
    published = publish(measures, comparisons, earlier=records, corrected=list(corrections), held_back=held_back)
    window = public.settings.window
    ledger = extended(ledger, published.measures, window=window, release=name, corrections=corrections)
    public = replace(
        public,
        measures=published.measures,
        comparisons=judge(published.comparisons),
        adjusted=publish_adjusted(counted(pd.read_parquet(restricted / "adjusted.parquet")), published.measures),
        findings=told(
            find(published.measures, published.comparisons, public.catalogue, as_of=public.settings.as_of_date),
            public.catalogue,
        ),
        corrections=corrections_in(ledger),
    )
    building = to / f".{name}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        checks = pd.read_parquet(restricted / "checks.parquet")
        write_package(out=building, public=public, published=published, checks=checks, name=name)
        challenge(building, measures, earlier=records)
        refuse_leaks(building, restricted=restricted)
        write_ledger(ledger, building / LEDGER)
        if key:
            (building / SIGNERS).write_text(_signer(public.settings.office, key), encoding="utf-8")
        write_sums(building)
        approved = {"release": name, "approved": sha256(building / SUMS), "by": dict(sorted(approvals.items()))}
        _json(approved, building / APPROVALS)
        if key:
            _sign(building / SUMS, key)
        _enter(building, to, name, published.record, ledger)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return to / name


def _enter(building: Path, to: Path, name: str, record: pd.DataFrame, ledger: Ledger) -> None:
    """The release is there from the moment its folder bears its name: what it is judged with lies ready by then, and its
    own copy of the ledger holds the line that a killed process did not add.
    """
    (to / "restricted").mkdir(exist_ok=True, mode=0o700)
    record.to_parquet(to / "restricted" / f"{name}.parquet", index=False)
    building.replace(to / name)
    write_ledger(ledger, to / LEDGER)


def _records(to: Path, releases: Iterable[str]) -> list[pd.DataFrame]:
    """What each release before is judged with. Raises AuditError with each that cannot be read: nothing is proved without."""
    records, problems = [], []
    for name in releases:
        path = to / "restricted" / f"{name}.parquet"
        try:
            records.append(pd.read_parquet(path))
        except (OSError, ValueError) as error:
            what = f"cannot be read ({type(error).__name__})"
            fix = "Take it from a copy: without it nobody can tell what this release gives away beside that one"
            expected = f"what `iiu release` wrote with the release {name}"
            problems.append(Problem(code="IIU638", where=str(path), what=what, expected=expected, fix=fix))
    if problems:
        raise AuditError(problems)
    return records


def _whole_ledger(to: Path) -> Ledger:
    """The ledger of all releases below `to`. Raises AuditError where a copy cannot be read or does not follow from it."""
    ledgers, problems = [], []
    for path in (to / LEDGER, *sorted(to.glob(f"[!.]*/{LEDGER}"))):
        try:
            ledgers.append(read_ledger(path))
        except (ValueError, KeyError, TypeError) as error:
            what = f"cannot be read ({type(error).__name__})"
            fix = "Take the ledger from an archived release: a line was changed"
            expected = "a line of JSON a measure"
            problems.append(Problem(code="IIU612", where=str(path), what=what, expected=expected, fix=fix))
    if problems:
        raise AuditError(problems)
    whole = max(ledgers, key=lambda ledger: len(ledger.lines))
    for ledger in ledgers:
        if whole.lines[: len(ledger.lines)] != ledger.lines:
            what = "the copies of the ledger in the releases contradict each other"
            fix = "Take the releases from an archive: a ledger was changed"
            raise AuditError([Problem(code="IIU612", where=str(to), what=what, expected="one history", fix=fix)])
    return whole


def refuse_leaks(*folders: Path, restricted: Path) -> None:
    """Searches the files of these folders for what an audit's restricted tables hold. Raises ReleaseRefused with it."""

    def keys(texts: Collection[str]) -> set[str]:
        columns = (column for path in sorted(restricted.glob("*.parquet")) for column in keys_of(path))
        return {key for column in columns for key in among(texts, column)}

    hidden = _hidden_numbers(restricted, folders)
    if found := leaks(*folders, keys=keys, hidden_numbers=hidden):
        raise ReleaseRefused(found)


def _hidden_numbers(restricted: Path, folders: Collection[Path]) -> set[float]:
    """Ends of intervals that no released table holds: a page that knows one has seen a hidden row."""
    ends = ["ci_low", "ci_high"]
    tables = [path for folder in folders for path in folder.rglob("*.parquet")]
    said = np.concatenate([_said(counted(pd.read_parquet(path))) for path in tables])
    true = counted(pd.read_parquet(restricted / "measures.parquet"))[ends].stack().to_numpy()
    # Text is searched without signs; and what is said of one group may be the mirror of what is hidden of another.
    told = np.sort(np.concatenate([[-np.inf, np.inf], np.abs(said), np.abs(1 - said)]))
    above = np.searchsorted(told, np.abs(true))
    apart = np.minimum(told[above] - np.abs(true), np.abs(true) - told[above - 1])
    return set(true[apart > 10**-DECIMALS].round(DECIMALS).tolist())


def _said(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Every number of a published table, and the arms of its intervals, as pictures draw them."""
    numbers = rows.select_dtypes("float")
    parts = [numbers.stack().to_numpy()]
    for middle, low, high in (("estimate", "ci_low", "ci_high"), ("difference", "difference_low", "difference_high")):
        if {middle, low, high} <= set(numbers):
            arms = pd.concat([numbers[middle] - numbers[low], numbers[high] - numbers[middle]])
            parts.append(arms.dropna().to_numpy())
    return np.concatenate(parts)


def _check_measures(asked: Iterable[str], measures: pd.DataFrame) -> None:
    """Raises AuditError for what is no measure of the audit."""
    known = sorted(measures["measure_id"].unique())
    strange = sorted(set(asked).difference(known))
    if strange:
        fix = "Write it as the table of measures does, in --correct and --hold-back."
        raise AuditError(
            Problem(
                code="IIU637",
                where=name,
                what=f"no measure of this audit{nearest(name, known)}",
                expected="the id of a measure, as CHG-01",
                fix=fix,
            )
            for name in strange
        )


def _check_request(audit: Path, to: Path, name: str, approvals: Mapping[str, str]) -> None:
    problems = []
    if not (audit / "run.json").is_file():
        fix = "Run `iiu audit` first."
        problems.append(
            Problem(code="IIU631", where=str(audit), what="no audit", expected="an audit's folder", fix=fix)
        )
    elif program_of(audit) != code_hash():
        problems.append(
            Problem(
                code="IIU636",
                where=str(audit),
                what="another version of the program made this audit",
                expected="an audit by the program that makes the release, since the release says by what it was counted",
                fix="Run `iiu audit` again.",
            )
        )
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name == "restricted":
        expected = "letters, digits, dot and dash, as 2025-Q1"
        problems.append(Problem(code="IIU632", where=name, what="no name for a folder", expected=expected))
    elif (to / name).exists():
        problems.append(
            Problem(
                code="IIU633",
                where=str(to / name),
                what="this release is there already",
                expected="a new name: a release is never changed",
                fix="Correct by a new release, with --correct MEASURE=REASON.",
            )
        )
    if len({who.casefold() for who in approvals.values()}) < 2:
        problems.append(
            Problem(
                code="IIU634",
                where=", ".join(f"{role}: {who}" for role, who in approvals.items()) or "(nobody)",
                what="too few have approved",
                expected="two roles held by two persons",
                fix="Give --approve ROLE=NAME twice.",
            )
        )
    if problems:
        raise AuditError(problems)


def program_of(audit: Path) -> str:
    """The hash of the program that made an audit; empty where it says none."""
    draft = audit / "release" / PROVENANCE
    try:
        return str(json.loads(draft.read_text(encoding="utf-8"))["program"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _sign(sums: Path, key: Path) -> None:
    _ssh_keygen("-Y", "sign", "-f", key, "-n", NAMESPACE, sums)


def _signer(office: str, key: Path) -> str:
    """The line by which `ssh-keygen -Y verify` knows who may sign what this office releases (ssh-keygen(1))."""
    return f'{office} namespaces="{NAMESPACE}" {_ssh_keygen("-y", "-f", key)}'


def _ssh_keygen(*arguments: str | Path) -> str:
    command = ["ssh-keygen", *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603, our own words alone
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise AuditError([Problem(code="IIU635", where=SIGNATURE, what=f"no signature: {said.strip()}")]) from error
    return done.stdout


def _provenance(public: PublicData, published: Published) -> dict[str, Any]:
    """Where the numbers come from, and how it was proved that they may leave: hashes, but no name of a file."""
    registry = load_registry()
    return {
        "settings": {k: v if isinstance(v, int | str) else str(v) for k, v in asdict(public.settings).items()},
        "source": dict(public.source),
        "synthetic": public.synthetic,
        "inputs": sorted(file["sha256"] for file in public.run["files"]),
        "program": {"version": __version__, "sha256": code_hash()},
        "disclosure": {
            "threshold": registry.threshold,
            "restricted_threshold": registry.restricted_threshold,
            "all_or_none": registry.all_or_none,
            **published.proof,
        },
    }


def code_hash() -> str:
    """One hash of the program, its models, reference tables and lock file."""
    digest = hashlib.sha256()
    folders = [ROOT / name for name in ("pipeline", "models", "data/reference", "expectations")]
    files = [p for folder in folders for p in folder.rglob("*") if p.suffix in _CODE]
    for path in sorted([*files, ROOT / "requirements.lock"]):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def _resource(path: Path, folder: Path) -> dict[str, Any]:
    """A CSV as a tabular data resource: its columns, their types and meaning, its key, its rows."""
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    with DICTIONARY.open(encoding="utf-8", newline="") as lines:
        words = {row["column"]: row for row in csv.DictReader(lines) if path.name != "catalogue.csv"}
    fields = []
    for column in header:
        word = words.get(column, {"type": "string", "english": "", "spanish": ""})
        field: dict[str, Any] = {"name": column, "type": word["type"]}
        if word["english"]:
            field |= {"description": word["english"], "description_es": word["spanish"]}
        if column == "status":
            field["constraints"] = {"required": True, "enum": list(STATUS)}
        elif column in words and column in CELL:
            field["constraints"] = {"required": True}
        fields.append(field)
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if path.name != "hidden.csv" and "status" in header:
        schema["primaryKey"] = KEYS.get(path.stem, KEYS["measures"])
    return {
        "name": path.stem.replace("_", "-"),
        "path": path.relative_to(folder).as_posix(),
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256(path)}",
        "rows": len(rows),
        "schema": schema,
    }


def _title(public: PublicData) -> str:
    return f"{public.settings.title}: decisions by race and citizenship"


def _about(public: PublicData) -> str:
    settings = public.settings
    about = (
        f"Counts, rates and comparisons of decisions from {settings.period_from} to {settings.period_to}, as known on "
        f"{settings.as_of_date}. Small counts are hidden, and what would give them away. Citizenship is not "
        "immigration status."
    )
    return about + (" Nobody in these records exists." if public.synthetic else "")


def _descriptor(public: PublicData, name: str, resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    office = public.settings.office.replace("_", "-")
    return {
        "profile": "tabular-data-package",
        "name": f"{office}-{name}".lower(),
        "title": _title(public),
        "description": _about(public),
        "version": name,
        "created": f"{public.settings.as_of_date}T00:00:00Z",
        "keywords": ["prosecution", "citizenship", "race", "disparities"],
        "contributors": [{"title": public.settings.title, "role": "publisher"}],
        "resources": list(resources),
    }


def _dcat(public: PublicData, name: str, folder: Path) -> dict[str, Any]:
    """The entry for an open-data catalogue."""
    kinds = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
    kinds[".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    files = sorted(path for path in (folder / "data").iterdir() if path.suffix in kinds)
    settings = public.settings
    return {
        "@context": "http://www.w3.org/ns/dcat.jsonld",
        "@type": "dcat:Dataset",
        "dct:title": _title(public),
        "dct:description": _about(public),
        "dct:identifier": f"{settings.office}/{name}",
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": settings.title},
        "dct:issued": str(settings.as_of_date),
        "dct:temporal": {"dcat:startDate": str(settings.period_from), "dcat:endDate": str(settings.period_to)},
        "dct:spatial": settings.jurisdiction,
        "dcat:distribution": [
            {"@type": "dcat:Distribution", "dcat:downloadURL": f"data/{f.name}", "dcat:mediaType": kinds[f.suffix]}
            for f in files
        ],
    }


def _citation(public: PublicData, name: str) -> str:
    lines = [
        "cff-version: 1.2.0",
        'message: "If you use these tables, please cite them."',
        "type: dataset",
        f"title: {json.dumps(_title(public), ensure_ascii=False)}",
        f"version: {json.dumps(name)}",
        f'date-released: "{public.settings.as_of_date}"',
        "authors:",
        f"  - name: {json.dumps(public.settings.title, ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n"


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, lineterminator="\n", float_format="%.6g")


def _json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
