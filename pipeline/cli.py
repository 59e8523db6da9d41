"""The command `iiu`. Thin: it reads arguments, calls, prints. Heavy imports happen only where they are used."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline import __version__
from pipeline.errors import AuditError
from pipeline.whole import of_the_machine

EXAMPLE = "example_county"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 done, 1 input or mapping wrong, 2 wrong usage, 3 the gate refused the release."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "audit" and options.master is not None and options.engine != "spark":
        parser.error("--master is of --engine spark")
    if options.command == "side-by-side" and len(options.releases) < 2:
        parser.error("side-by-side is of two releases or more")
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return int(COMMANDS[options.command](options))
    except KeyboardInterrupt:
        print("Stopped. The last good audit is untouched.", file=sys.stderr)
        return 130
    except Exception as error:
        problem = of_the_machine(error)
        told = error if problem is None else AuditError([problem])
        if not isinstance(told, AuditError):
            raise
        sys.stdout.flush()
        errors = [p for p in told.problems if p.severity == "error"]
        for listed in ([p for p in told.problems if p.severity != "error"], errors):  # what must be mended stands last
            if listed:
                print(*listed, sep="\n", end="\n\n", file=sys.stderr)
        print(
            f"{len(errors)} to mend, {len(told.problems) - len(errors)} to know. Nothing was written.", file=sys.stderr
        )
        return told.exit_code


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"[{text}] is no day; expected a date as 2025-03-31") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="iiu",
        description="The audit pipeline of a District Attorney's Immigration Integrity Unit.",
        epilog="Exit codes: 0 done; 1 the input or the mapping is wrong; 2 wrong usage; 3 the disclosure gate refused.",
    )
    parser.add_argument("--version", action="version", version=f"iiu {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    audit = commands.add_parser("audit", help="the main job, end to end")
    audit.add_argument(
        "office", nargs="?", default=EXAMPLE, help="a name under pipeline/offices, or a folder with an office.yml"
    )
    audit.add_argument(
        "--raw", type=Path, help="the folder of the exports; only read (default: data/raw/OFFICE, frozen)"
    )
    audit.add_argument("--out", type=Path, help="where to write (default: data/marts/OFFICE)")
    audit.add_argument("--as-of", type=_day, help="the day of the export, instead of the one in office.yml")
    audit.add_argument("--since", type=Path, help="an earlier audit of the office: says what became of its findings")
    audit.add_argument(
        "--engine", choices=("duckdb", "spark"), default="duckdb", help="what builds the marts (default: duckdb)"
    )
    audit.add_argument("--master", metavar="URL", help="with --engine spark: of which Spark (default: local[*])")
    audit.add_argument("--json", action="store_true", help="print the run record instead of progress")

    check = commands.add_parser("check", help="read mapping and exports, report every problem, build nothing")
    check.add_argument("office")
    check.add_argument("--raw", type=Path, help="the folder of the exports (default: data/raw/OFFICE)")

    find = commands.add_parser("find", help="say in which file and row of the exports the key of a worklist stands")
    find.add_argument("office")
    find.add_argument("keys", nargs="+", metavar="KEY")
    find.add_argument("--raw", type=Path, help="the folder of the exports (default: data/raw/OFFICE)")
    find.add_argument("--as-of", type=_day, help="as the audit was run, if it was not office.yml's")

    new = commands.add_parser("new-office", help="draft office.yml and code tables from a folder or zip of exports")
    new.add_argument("folder", type=Path, metavar="DIR", help="the folder of the new office")
    new.add_argument("--from", dest="exports", type=Path, required=True, help="the exports; only read")

    synth = commands.add_parser("synth", help="write a synthetic county's exports, with the truth beside them")
    synth.add_argument("--cases", type=int, default=120_000)
    synth.add_argument("--seed", type=int, required=True)
    synth.add_argument("--effects", type=Path, help="a file of planted effects (default: those of the Example County)")
    synth.add_argument("--out", type=Path, required=True)

    release = commands.add_parser(
        "release",
        help="make an audit a release: judged with all earlier ones, attacked, approved, entered in the ledger",
    )
    release.add_argument("office", nargs="?", default=EXAMPLE)
    release.add_argument("--name", required=True, help="what it is called from now on, as 2025-Q1")
    release.add_argument(
        "--approve",
        action="append",
        default=[],
        type=_pair,
        metavar="ROLE=NAME",
        help="who approves; two roles at least",
    )
    release.add_argument(
        "--correct",
        action="append",
        default=[],
        type=_pair,
        metavar="MEASURE=REASON",
        help="a measure whose published numbers this release changes",
    )
    release.add_argument(
        "--hold-back",
        action="append",
        default=[],
        metavar="MEASURE",
        help="a measure of which this release tells nothing: what the gate refuses holds up nothing else",
    )
    release.add_argument("--audit", type=Path, help="the audit's folder (default: data/marts/OFFICE)")
    release.add_argument("--to", type=Path, help="the folder of all releases (default: data/releases/OFFICE)")
    release.add_argument("--sign", type=Path, metavar="KEY", help="a private key, for ssh-keygen -Y sign")

    verify = commands.add_parser(
        "verify", help="check a release: hashes, tables, every number that follows from another"
    )
    verify.add_argument("release", type=Path)
    verify.add_argument("--signers", type=Path, help="the office's allowed_signers, had from elsewhere")

    beside = commands.add_parser(
        "side-by-side",
        help="put the published rows of several offices beneath each other; nothing is summed over offices",
    )
    beside.add_argument("releases", type=Path, nargs="+", metavar="RELEASE", help="one of each office")
    beside.add_argument("--out", type=Path, required=True, help="a new folder")

    unsealed = commands.add_parser(
        "unseal", help="write the restricted files of an audit in the clear, to work with them"
    )
    unsealed.add_argument("office", nargs="?", default=EXAMPLE)
    unsealed.add_argument("--audit", type=Path, help="the audit's folder (default: data/marts/OFFICE)")
    unsealed.add_argument("--to", type=Path, required=True, help="an empty folder; delete it when the work is done")

    forgotten = commands.add_parser(
        "forget", help="remove every row about a person from an audit, look for what is left of them, leave a receipt"
    )
    forgotten.add_argument("office", nargs="?", default=EXAMPLE)
    forgotten.add_argument("--audit", type=Path, help="the audit's folder (default: data/marts/OFFICE)")

    show = commands.add_parser("open", help="show the site of an audit")
    show.add_argument("office", nargs="?", default=EXAMPLE)
    show.add_argument("--audit", type=Path, help="the audit's folder (default: data/marts/OFFICE)")
    show.add_argument(
        "--restricted",
        action="store_true",
        help="the unit's workbench: what is hidden elsewhere, and the cases behind each number; this machine alone, and logged",
    )
    return parser


def _audit(options: argparse.Namespace) -> int:
    from pipeline.audit import run_audit
    from pipeline.progress import Progress
    from pipeline.spark import LOCAL

    progress = Progress(quiet=options.json)
    record = run_audit(
        office=options.office,
        raw=options.raw,
        out=options.out,
        as_of_date=options.as_of,
        progress=progress,
        since=options.since,
        master=(options.master or LOCAL) if options.engine == "spark" else None,
    )
    if options.json:
        print(json.dumps(record, indent=1, ensure_ascii=False))
    return 0


def _check(options: argparse.Namespace) -> int:
    from pipeline.audit import check_office
    from pipeline.progress import Progress

    for line in check_office(office=options.office, raw=options.raw, progress=Progress()):
        print(line)
    return 0


def _find(options: argparse.Namespace) -> int:
    from pipeline.audit import find_keys

    for line in find_keys(office=options.office, raw=options.raw, as_of_date=options.as_of, keys=options.keys):
        print(line)
    return 0


def _new_office(options: argparse.Namespace) -> int:
    from pipeline.contract import load_contract
    from pipeline.ingest.draft import draft_office

    for line in draft_office(folder=options.folder, exports=options.exports, contract=load_contract()):
        print(line)
    return 0


def _synth(options: argparse.Namespace) -> int:
    from pipeline.synth import write_county

    write_county(out=options.out, cases=options.cases, seed=options.seed, effects=options.effects)
    print(f"The exports are in {options.out / 'exports'}, what is true of them in {options.out / 'truth'}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise argparse.ArgumentTypeError(f"{text}: expected two words with = between them")
    return name.strip(), value.strip()


def _release(options: argparse.Namespace) -> int:
    from pipeline.audit import default_out, default_releases
    from pipeline.report.release import release

    made = release(
        audit=options.audit or default_out(options.office),
        to=options.to or default_releases(options.office),
        name=options.name,
        approvals=dict(options.approve),
        corrections=dict(options.correct),
        held_back=options.hold_back,
        key=options.sign,
    )
    print(f"The release is in {made}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from pipeline.report.verify import verify

    problems = verify(options.release, options.signers)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"\n{len(problems)} problems: this is not the release as it was published.", file=sys.stderr)
        return 1
    print(f"{options.release}: every hash holds, and every rate, interval, sum, comparison and finding follows.")
    return 0


def _side_by_side(options: argparse.Namespace) -> int:
    from pipeline.report.side_by_side import side_by_side

    side_by_side(options.releases, options.out)
    print(f"The offices are side by side in {options.out}: its README.md says what may be compared.")
    return 0


def _unseal(options: argparse.Namespace) -> int:
    from pipeline.audit import default_out
    from pipeline.restricted import unseal

    options.to.mkdir(mode=0o700, parents=True, exist_ok=True)
    unseal(options.audit or default_out(options.office), options.to)
    print(f"The restricted files are in {options.to}, in the clear: delete them when the work is done.")
    return 0


def _forget(options: argparse.Namespace) -> int:
    from pipeline.audit import default_out
    from pipeline.restricted import RECEIPT, forget

    audit = options.audit or default_out(options.office)
    receipt = forget(audit)
    print(
        f"{len(receipt.removed)} files about persons are removed, and none of their {receipt.keys} keys is in any of the "
        f"{receipt.searched} files that are left: {audit / RECEIPT}.\n"
        "The exports and all copies elsewhere are as they were."
    )
    return 0


def _open(options: argparse.Namespace) -> int:
    import webbrowser

    from pipeline.audit import default_out

    audit = options.audit or default_out(options.office)
    if options.restricted:
        return _workbench(audit)
    page = audit / "site" / "index.html"
    if not page.is_file():
        print(f"There is no site at {page}. Run `iiu audit {options.office}` first.", file=sys.stderr)
        return 1
    webbrowser.open(page.resolve().as_uri())
    print(page.resolve().as_uri())
    return 0


def _workbench(audit: Path) -> int:
    import webbrowser

    from pipeline.report.access_log import access_log
    from pipeline.report.workbench import serving

    with serving(audit) as server:
        print(
            f"{server.address}\nFor this machine alone, until Ctrl-C. Who looks at cases is logged in {access_log(audit.resolve())}"
        )
        webbrowser.open(server.address)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


COMMANDS = {
    "audit": _audit,
    "check": _check,
    "find": _find,
    "new-office": _new_office,
    "synth": _synth,
    "release": _release,
    "verify": _verify,
    "side-by-side": _side_by_side,
    "unseal": _unseal,
    "forget": _forget,
    "open": _open,
}

if __name__ == "__main__":
    sys.exit(main())
