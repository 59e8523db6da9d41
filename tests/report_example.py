"""A published audit of an invented county, from counts to the public tables: what the pages are tested on.

Counts are drawn from a seed. Groups so small that they are hidden, and measures whose columns no office supplied, are
there on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.contract import ROOT
from pipeline.findings import find, judge
from pipeline.measures import comparison_table, measure_table
from pipeline.report.tables import PublicData
from pipeline.report.words import told

QUARTERS = tuple(f"{year}-Q{quarter}" for year in range(2021, 2027) for quarter in range(1, 5))[:22]
RACES = {"white": 0.34, "black": 0.24, "hispanic_latino": 0.28, "asian": 0.07, "aian": 0.004, "mena": 0.006,
         "nhpi": 0.003, "multiracial": 0.012, "other": 0.015, "unknown": 0.05}  # fmt: skip
OFFENCES = {"violent": 0.3, "property": 0.35, "drug": 0.2, "other": 0.15}
CITIZENSHIP = {"citizen": 0.62, "noncitizen": 0.17, "unknown": 0.21}

#: measure_id: mart, kind, title, counted unit, numerator, denominator, unit, cases a quarter, level, what being a noncitizen adds
MEASURES: dict[str, tuple[str, str, str, str, str, str, str, int, float, float]] = {
    "DQ-01": ("data_quality", "rate", "Citizenship unknown at the decision", "cases", "persons with no statement about citizenship on file on the day of the decision", "persons with a decision", "share", 1200, 0.21, 0.0),
    "CHG-01": ("charging", "rate", "Filing rate", "cases", "referred cases that were filed", "cases referred, with a decision", "share", 1200, 0.64, 0.07),
    "CHG-02": ("charging", "mix", "Reasons for declining", "cases", "declined cases with this reason", "declined cases", "share", 420, 0.25, 0.0),
    "CHG-05": ("charging", "rate", "Felony share of filed cases", "cases", "filed cases with a felony", "filed cases", "share", 760, 0.31, 0.02),
    "CHG-08": ("charging", "distribution", "Counts per filed case", "cases", "counts", "filed cases", "counts", 760, 2.0, 0.3),
    "CHG-09": ("charging", "time_to_event", "Hours from arrest to the filing decision", "cases", "hours", "arrests", "hours", 1200, 30.0, 4.0),
    "CHG-13": ("charging", "rate", "No citation for lack of an identity document", "cases", "arrests without a citation for lack of an identity document", "arrests for minor offences", "share", 0, 0.0, 0.0),
    "BAIL-01": ("bail", "mix", "What the prosecution asked for at first appearance", "hearings", "hearings with this request", "hearings", "share", 760, 0.3, 0.0),
    "BAIL-03": ("bail", "rate", "Detention requested", "hearings", "hearings where detention was requested", "hearings", "share", 760, 0.12, 0.05),
    "BAIL-02": ("bail", "distribution", "Amount of bail requested", "hearings", "amount requested", "hearings with a cash request", "usd", 280, 5000.0, 1500.0),
    "BAIL-04": ("bail", "rate", "Immigration argued at bail", "hearings", "hearings where immigration was argued", "hearings with a coded argument", "share", 0, 0.0, 0.0),
    "BAIL-08": ("bail", "time_to_event", "Days from booking to release", "stays in custody", "days", "stays in custody", "days", 500, 4.0, 2.5),
    "DIV-01": ("diversion", "rate", "Offer rate among eligible cases", "cases", "eligible cases offered diversion", "eligible cases", "share", 300, 0.42, -0.09),
    "DIV-03": ("diversion", "mix", "Stage of diversion", "referrals", "referrals at this stage", "referrals", "share", 150, 0.25, 0.0),
    "DIV-04": ("diversion", "rate", "Upfront plea required", "enrolments", "enrolments that needed a plea or an admission first", "enrolments", "share", 110, 0.38, 0.01),
    "ICE-01": ("ice_contact", "rate", "Detainers per booking", "bookings", "bookings with a detainer lodged", "bookings", "share", 900, 0.004, 0.11),
    "ICE-03": ("ice_contact", "mix", "What became of detainers", "detainers", "detainers with this outcome", "detainers", "share", 45, 0.2, 0.0),
    "ICE-05": ("ice_contact", "rate", "Arrests by ICE at a courthouse", "arrests", "arrests by ICE in or near a courthouse", "scheduled appearances", "share", 0, 0.0, 0.0),
}  # fmt: skip
STRATA = {
    "CHG-02": {"insufficient_evidence": 0.44, "policy": 0.17, "diversion": 0.12, "victim": 0.14, "immigration_equities": 0.02, "not_recorded": 0.11},
    "BAIL-01": {"release_on_recognizance": 0.38, "supervised": 0.17, "non_cash_conditions": 0.09, "cash": 0.24, "detention": 0.08, "not_recorded": 0.04},
    "DIV-03": {"pre_arrest": 0.11, "pre_charge": 0.22, "pre_plea": 0.31, "post_plea": 0.36},
    "ICE-03": {"honoured_extra_hold": 0.22, "transferred_no_extra_hold": 0.31, "notified_only": 0.14, "declined": 0.19, "released_before": 0.08, "not_recorded": 0.06},
}  # fmt: skip
MISSING = {
    "CHG-13": "diversion_referral.ineligible_reason",
    "BAIL-04": "bail_event.immigration_argument",
    "ICE-05": "ice_contact.location_type hearing.at",
}
PROPOSAL = {"data_quality": 1, "charging": 2, "bail": 9, "diversion": 6, "ice_contact": 10}


@dataclass(frozen=True)
class Example:
    """The frames that `build_site` is given."""

    measures: pd.DataFrame
    comparisons: pd.DataFrame
    catalogue: pd.DataFrame
    settings: AuditSettings
    run: dict[str, Any]


SETTINGS = AuditSettings(
    office="example_county", title="Example County District Attorney", jurisdiction="US-CA", as_of_date=date(2026, 6, 30),
    period_from=date(2021, 1, 1), period_to=date(2026, 6, 30), reference_race="white", reference_citizenship="citizen",
    seed=20260630,
)  # fmt: skip


def catalogue() -> pd.DataFrame:
    rows = [
        {
            "measure_id": measure_id, "title": title,
            "definition": f"{numerator[0].upper()}{numerator[1:]}, of all {denominator}.",
            "mart": mart, "fact": f"mart_{mart}", "kind": kind, "counted_unit": counted,
            "numerator_text": numerator, "denominator_text": denominator,
            "numerator": "is_event", "denominator": "is_counted", "value": "", "outcome": "",
            "stratum": "reason" if kind == "mix" else "", "unit": unit, "direction": "neutral",
            "required_columns": MISSING.get(measure_id, "referral.decision referral.decision_date"),
            "proposal": PROPOSAL[mart],
            "source_quote": "DAs decide the severity of the charges" if mart == "charging" else "",
            "equivalent": "",
        }
        for measure_id, (mart, kind, title, counted, numerator, denominator, unit, *_rest) in MEASURES.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def example(*, seed: int = 20260630, scale: float = 1.0) -> Example:
    """The whole example. `scale` 0.1 gives a county so small that most cells are hidden."""
    rng = np.random.default_rng(seed)
    cells, values = [], []
    for measure_id, (_, kind, *_rest, size, level, extra) in MEASURES.items():
        if measure_id in MISSING:
            continue
        for stratum, share in STRATA.get(measure_id, {"all": level}).items():
            counted = _cells(rng, size=int(size * scale), level=share, extra=extra, kind=kind)
            counted = counted.assign(measure_id=measure_id, stratum=stratum)
            if kind in ("rate", "mix"):
                cells.append(counted)
            else:
                values.append(_values(rng, counted, kind))
    columns = ["measure_id", "quarter", "race", "citizenship", "offence_group", "stratum"]
    counts = pd.concat(cells)[[*columns, "numerator", "denominator"]]
    spread = pd.concat(values)[[*columns, "value", "outcome", "cases"]]
    supplied = [("referral", "decision"), ("referral", "decision_date"), ("citizenship_assertion", "value")]
    measures = measure_table(counts, spread, catalogue(), supplied, SETTINGS)
    shown, compared = _hidden(measures), judge(_hidden(comparison_table(measures, SETTINGS)))
    run = {
        "version": "0.1.0", "engine": "duckdb", "as_of_date": "2026-06-30", "office": "example_county",
        "files": [{"path": "cases.csv", "sha256": "ab" * 32, "read": 26412, "landed": 26400, "rejected": 7, "filtered": 5}],
        "steps": [], "peak_memory_mb": 0,
        "checks": {"passed": 42, "failed": 1, "not_applicable": 3, "error": 0},
        "measures": shown["status"].value_counts().sort_index().to_dict(),
        "control_totals": [
            {"id": "filed_2024", "label": "Cases filed in 2024, annual report", "published": "3052", "ours": "3052", "match": True},
            {"id": "declined_2024", "label": "Cases declined in 2024, annual report", "published": "1703", "ours": "1698", "match": False},
        ],
        "findings": [],
    }  # fmt: skip
    return Example(shown, compared, catalogue(), SETTINGS, run)


def every_kind_of_page() -> PublicData:
    """The example with a way from arrest to sentence, a policy before and after, findings and a correction."""
    made = example()
    known = pd.read_csv(ROOT / "data" / "reference" / "measures.csv", dtype=str, keep_default_na=False)
    more = known[known["measure_id"].isin(["PIP-04", "POL-01"])].reset_index(drop=True)
    ended = {"citizen": (40, 30, 15, 15), "noncitizen": (30, 35, 14, 21), "unknown": (50, 25, 15, 10)}
    parts = ("not_charged", "charged_without_conviction", "convicted_without_custody", "sentenced_to_custody")
    rows = [
        ("PIP-04", quarter, race, citizenship, "drug", part, 3 * count, 3 * count)
        for quarter in QUARTERS[:8] for race in ("white", "black")
        for citizenship, counts in ended.items() for part, count in zip(parts, counts, strict=True)
    ]  # fmt: skip
    rows += [("POL-01", quarter, "unknown", "unknown", "unknown", "", 30, 40) for quarter in QUARTERS[:8]]
    columns = ["measure_id", "quarter", "race", "citizenship", "offence_group", "stratum", "numerator", "denominator"]
    cells = pd.DataFrame(rows, columns=columns)
    needed = {column for needs in more["required_columns"] for column in needs.replace("|", " ").split()}
    supplied = [*(tuple(column.split(".")) for column in sorted(needed)), ("citizenship_assertion", "value")]
    measures = _hidden(
        measure_table(cells, cells.head(0).assign(value=0, outcome="", cases=0), more, supplied, SETTINGS)
    )
    measures = pd.concat([made.measures, measures], ignore_index=True)
    compared = pd.concat([made.comparisons, comparison_table(measures[measures["mart"].eq("pipeline")], SETTINGS)])
    compared = judge(compared.reset_index(drop=True))
    listed = pd.concat([made.catalogue, more], ignore_index=True).fillna("")
    policy = {
        "title": "Diversion without a plea", "effective_from": "2023-07-01", "effective_to": "", "measure_id": "DIV-01",
        "expected_direction": "up", "comparison_measure_id": "", "other_changes": "",
    }  # fmt: skip
    return PublicData(
        measures=measures, comparisons=compared, catalogue=listed, settings=SETTINGS, run=made.run, policies=[policy],
        findings=told(find(measures, compared, listed, as_of=SETTINGS.as_of_date), listed), synthetic=True,
        source={"publisher": "Example County", "note": "Nobody in it exists."},
        corrections=[{"date": "2026-05-01", "what": "CHG-01", "before": "61%", "after": "64%", "reason": "Late filings"}],
    )  # fmt: skip


def _hidden(table: pd.DataFrame) -> pd.DataFrame:
    """The table as if it had passed the gate: coarse breakdowns only, and no count from 1 to 10. Not the gate itself."""
    alone = [table[c].ne("all") for c in ("race", "citizenship", "offence_group") if c in table]
    crossed = sum(column.astype(int) for column in alone)
    finer = table["period"].ne("all").astype(int) + table["stratum"].ne("all")
    table = table[crossed + finer <= 2].reset_index(drop=True)
    sides = [("numerator", "denominator"), ("reference_numerator", "reference_denominator")]
    few = pd.Series(False, index=table.index)
    for events, cases in (side for side in sides if side[1] in table):
        for count in (table[events], table[cases], table[cases] - table[events]):
            few |= count.between(1, 10).fillna(False).astype(bool)
    few &= table["status"].ne("not_computable")
    numbers = [c for c in table.columns if pd.api.types.is_numeric_dtype(table[c])]
    table[numbers] = table[numbers].mask(few)
    return table.assign(status=table["status"].mask(few, "suppressed"), reason=table["reason"].mask(few, "Hidden."))


def _cells(rng: np.random.Generator, *, size: int, level: float, extra: float, kind: str) -> pd.DataFrame:
    """Counts by quarter, race and citizenship. For a mix the denominator is the number of events."""
    share = np.multiply.outer(np.outer(list(RACES.values()), list(CITIZENSHIP.values())), list(OFFENCES.values()))
    share[2, 1] *= 2.2  # more noncitizens among Latinos
    cases = rng.poisson(size * share * (level if kind == "mix" else 1.0), size=(len(QUARTERS), *share.shape))
    rate = np.full(cases.shape, level)
    rate[:, :, 1] += extra
    rate[:, 1, :] += 0.02
    rate[13:] -= 0.05 * (extra > 0)
    events = rng.binomial(cases, rate.clip(0.0, 1.0)) if kind == "rate" else cases
    names = ["quarter", "race", "citizenship", "offence_group"]
    frame = pd.MultiIndex.from_product([QUARTERS, RACES, CITIZENSHIP, OFFENCES], names=names).to_frame(index=False)
    return frame.assign(numerator=events.ravel(), denominator=cases.ravel(), rate=rate.ravel())


def _values(rng: np.random.Generator, cells: pd.DataFrame, kind: str) -> pd.DataFrame:
    """A histogram with the medians of `cells`; of times one case in ten is still open."""
    rows = cells.loc[cells.index.repeat(cells["denominator"])].copy()
    spread = np.exp(rng.normal(0.0, 0.7, len(rows)))
    unit = 250 if rows["rate"].max() > 1000 else 1
    rows["value"] = (np.round(rows["rate"] * spread / unit) * unit).astype(int)
    rows["outcome"] = np.where(rng.random(len(rows)) < (0.1 if kind == "time_to_event" else 0.0), "censored", "event")
    key = ["measure_id", "quarter", "race", "citizenship", "offence_group", "stratum", "value", "outcome"]
    return rows.groupby(key).size().rename("cases").reset_index()
