"""A tiny office and its export, written into a folder, to be broken on purpose."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from pipeline.contract import load_contract
from pipeline.ingest.land import Landing, land
from pipeline.ingest.office import load_office

OFFICE_YML = dedent(
    """\
    mapping_language: 1
    office: tiny
    title: Tiny County
    jurisdiction: US-CA
    as_of_date: 2024-12-31
    period: {from: 2023-01-01, to: 2024-12-31}
    reference: {race: white, citizenship: citizen}
    seed: 7
    identifiers: published
    unmapped_tolerance: 0.4
    rejected_tolerance: 0.4
    source: {publisher: nobody}
    files:
      referrals:
        path: "referrals*.csv"
        format: {type: csv}
        null_markers: ["NULL"]
        unused: {Name: identifies a person}
    tables:
      person:
        - from: referrals
          columns: {person_id: Pid, sex: {column: Sex, codes: sex}}
      referral:
        - from: referrals
          columns:
            referral_id: Ref
            person_id: Pid
            received_at: {column: Received, date: "%m/%d/%Y"}
            decision: {column: Decision, codes: decision}
            decision_date: {column: Decided, date: "%m/%d/%Y"}
    """
)
CODES = {
    "sex": "source,target,note\nF,female,\nM,male,\n",
    "decision": "source,target,note\nFiled,filed,\nRejected,declined,\nPending,pending,\n",
}
EXPORT = dedent(
    """\
    Ref,Pid,Name,Sex,Received,Decision,Decided
    R1,P1,Ann Example,F,01/02/2024,Filed,01/05/2024
    R2,P2,Bob Example,M,01/03/2024,Rejected,01/09/2024
    R3,P1,Ann Example,F,02/01/2024,Pending,NULL
    """
)


class TinyOffice:
    """The office's folder and its raw folder, to be changed before it lands."""

    def __init__(self, folder: Path) -> None:
        self.office = folder / "office"
        self.raw = folder / "raw"
        self.work = folder / "work"
        for path in (self.office / "codes", self.raw, self.work):
            path.mkdir(parents=True)
        self.write_office(OFFICE_YML)
        for name, text in CODES.items():
            self.write_codes(name, text)
        self.write_export(EXPORT.encode())

    @property
    def database(self) -> Path:
        return self.work / "audit.duckdb"

    def write_office(self, text: str) -> None:
        (self.office / "office.yml").write_text(text, encoding="utf-8")

    def write_codes(self, name: str, text: str) -> None:
        (self.office / "codes" / f"{name}.csv").write_text(text, encoding="utf-8")

    def write_export(self, content: bytes, name: str = "referrals.csv") -> None:
        (self.raw / name).write_bytes(content)

    def land(self, **options: Any) -> Landing:
        contract = load_contract()
        office = load_office(self.office, contract)
        return land(office=office, contract=contract, raw=self.raw, database=self.database, work=self.work, **options)
