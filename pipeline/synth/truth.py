"""The truth about a synthetic county, written beside its exports and never into them.

- `persons.parquet`: the true race and citizenship of each person, by the number the exports use.
- `rates.parquet`: for each measure, by race, citizenship, quarter and stratum: how many cases the county has, how many
  the model expects to have the outcome (a sum of probabilities over those cases, so free of chance) and how many do.
- `effects.json`: what was planted and how large it is; what is nature and no decision of the office.
- `dirt.json`: each file with its rows, duplicates, corrections and dirt. `canaries.json`: what must never leave landing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.synth.effects import Effects
from pipeline.synth.sql import literal

#: What depends on citizenship in every county, null or not. No decision of the office is among it.
NATURE = (
    "ICE lodges detainers on noncitizens, on few citizens, and the likelier the longer a person is in; so detainers, "
    "transfers, arrests, interviews and the reason `removed_or_ice_custody` depend on citizenship, and through it on race.",
    "Who was transferred to ICE does not come to court: nonappearance `in_ice_custody`.",
    "The defence raises immigration for noncitizens; so requests, disclosures and questions to the point person do too.",
    "Those who move against old convictions are mostly noncitizens.",
    "Race and citizenship go together: one noncitizen in three is no random draw of the county.",
    "Language of service depends on citizenship and race.",
)

#: Invented names, notes, file numbers, statuses and birth dates, and the columns of the exports that hold them.
CANARIES = {
    "patterns": [
        "Zzyx(ander|bury|corva|dale|ewick|fenn|gorst|holm|ivers|jorr|kint|lund)",
        "Qw(illa|inn|orth|arren|est|ynne)",
        "Zzyxnote",
        "Zzyx(LPR|VISA|EWI)",
        r"A913\d{6}",
        r"\d{2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-(19|20)\d{2}",
    ],
    "columns": {
        "PERSON_INDEX.csv": ["LAST_NAME", "FIRST_NAME", "DATE_OF_BIRTH", "ALIEN_NO", "NOTES"],
        "citizenship_log.csv": ["IMM_STATUS"],
        "arrests/": ["SUSPECT"],
        "CASES.csv": ["CAPTION"],
        "charge_ledger.csv.gz": ["REMARKS"],
        "BAIL.csv": ["ARG_QUOTE"],
        "jail/stays.csv": ["NAME"],
        "unit/pcr_motions.csv": ["MOVANT"],
        "unit/uv_certifications.csv": ["REQUESTER"],
    },
}


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A rate whose truth is known. `chance` is the probability of `outcome` in a row of `rows` where `among` holds."""

    measure: str
    decision: str
    unit: str
    rows: str
    among: str
    chance: str
    outcome: str
    day: str
    stratum: str = "'all'"
    traits: Mapping[str, str] = field(default_factory=dict)


_GRAVE = "CASE {} WHEN 1 THEN 'felony' WHEN 0 THEN 'misdemeanor' END"
_DETAINER = "CASE WHEN has_detainer THEN 'yes' ELSE 'no' END"

RATES = (
    Rate(measure="CHG-01", decision="filing", unit="referrals", rows="matter", among="TRUE", chance="p_filing",
         outcome="is_filed", day="decided_on"),
    Rate(measure="CHG-02", decision="declination", unit="referrals", rows="matter", among="TRUE",
         chance="p_declination", outcome="decision = 'declined'", day="decided_on",
         traits={"severity": _GRAVE.format("grave")}),
    Rate(measure="CHG-05a", decision="wobbler_felony", unit="charges", rows="charge",
         among="is_charge_filed AND starts_with(severity, 'wobbler')",
         chance="CASE seq WHEN 1 THEN p_wobbler_felony ELSE 0 END",
         outcome="seq = 1 AND filed_severity = 'wobbler_felony'", day="filed_on"),
    Rate(measure="DEC-02", decision="policy_declination", unit="covered referrals, decided", rows="matter",
         among="covered_by_declination AND NOT before_arrest AND decision IN ('filed', 'declined')",
         chance="p_declination / (p_declination + p_filing)", outcome="decision = 'declined'", day="decided_on",
         traits={"severity": _GRAVE.format("grave")}),
    Rate(measure="DEC-03", decision="deviation_signoff", unit="covered referrals, filed", rows="policy_application",
         among="policy = 'DEC-1' AND deviates", chance="p_deviation_signoff", outcome="is_signed", day="decided_on"),
    Rate(measure="BAIL-01", decision="cash_request", unit="bail hearings", rows="bail", among="TRUE",
         chance="p_cash_request", outcome="request = 'cash'", day="heard_at",
         stratum=_GRAVE.format("filed_grave"), traits={"severity": _GRAVE.format("filed_grave")}),
    Rate(measure="BAIL-03", decision="detention_request", unit="bail hearings", rows="bail", among="TRUE",
         chance="p_detention_request", outcome="request = 'detention'", day="heard_at",
         traits={"severity": _GRAVE.format("filed_grave")}),
    Rate(measure="BAIL-04", decision="immigration_argument", unit="bail hearings, coded", rows="bail",
         among="is_coded", chance="CASE seq WHEN 0 THEN p_immigration_argument ELSE 0 END",
         outcome="argument <> 'none'", day="heard_at", traits={"severity": _GRAVE.format("filed_grave")}),
    Rate(measure="BAIL-05", decision="cash_request", unit="bail hearings covered by BAIL-1", rows="bail",
         among="is_covered", chance="1 - p_cash_request", outcome="request <> 'cash'", day="heard_at",
         traits={"severity": _GRAVE.format("filed_grave")}),
    Rate(measure="DIV-01", decision="diversion_offer", unit="people found eligible", rows="matter",
         among="eligible_on IS NOT NULL", chance="CASE WHEN before_arrest THEN 1 ELSE p_diversion_offer END",
         outcome="is_offered", day="eligible_on", traits={"severity": _GRAVE.format("grave")}),
    Rate(measure="DIV-04", decision="plea_up_front", unit="enrolments", rows="matter", among="is_diverted",
         chance="CASE WHEN before_arrest OR before_charge THEN 0.10 ELSE 0.10 + 0.90 * p_plea_up_front END",
         outcome="diversion_stage = 'post_plea' OR draw(m, 'admission') < 0.10", day="enrolled_on"),
    Rate(measure="PLE-01", decision="consideration", unit="plea offers", rows="plea_offer", among="TRUE",
         chance="p_consideration", outcome="is_considered", day="made_on"),
    Rate(measure="PLE-05", decision="documents_demanded", unit="offers in which the defence raised immigration",
         rows="plea_offer", among="defence_raises", chance="p_documents_demanded", outcome="demands_documents",
         day="made_on"),
    Rate(measure="SEN-01", decision="one_year_sentence", unit="sentences of 364 or 365 days, as first pronounced",
         rows="matter", among="on_one_year_line", chance="1 - p_one_year_sentence", outcome="imposed_days = 364",
         day="sentenced_on"),
    Rate(measure="SEN-10", decision="carceral_recommendation", unit="recommendations", rows="matter",
         among="is_convicted",
         chance="1 - (1 - p_carceral_recommendation) * (1 - CASE convicted_grave WHEN 1 THEN 0.22 WHEN 0 THEN 0.06 ELSE 0 END)",
         outcome="recommended_days > 0", day="sentenced_on"),
    Rate(measure="CUS-02", decision="release_lag", unit="first stays with a day of release due, over four hours",
         rows="matter", among="due_at IS NOT NULL", chance="p_release_lag", outcome="lag_hours * exp(lag_shift) > 4",
         day="due_at", stratum=_DETAINER, traits={"detainer": _DETAINER}),
    Rate(measure="ICE-01", decision="nature", unit="first stays", rows="matter", among="booked",
         chance="p_detainer_lodged", outcome="has_detainer", day="booked_at"),
    Rate(measure="ICE-04c", decision="outbound_ice_contact", unit="filed cases", rows="matter", among="is_filed",
         chance="p_outbound_ice_contact", outcome="draw(m, 'outbound') < p_outbound_ice_contact", day="first_at"),
    Rate(measure="PCR-02", decision="motion_opposition", unit="motions, opposed", rows="motion", among="TRUE",
         chance="p_motion_opposition", outcome="position = 'opposed'", day="filed_on", stratum="conviction",
         traits={"conviction": "conviction"}),
    Rate(measure="PPT-02", decision="slow_acknowledgement", unit="requests, acknowledged late",
         rows="point_person_request", among="TRUE", chance="p_slow_acknowledgement",
         outcome="draw(m, 'slow ack') < p_slow_acknowledgement", day="received_on"),
    Rate(measure="VIC-03", decision="certification_late", unit="requests, not decided within the time the law allows",
         rows="(SELECT *, 'all' AS race, 'all' AS citizenship FROM certification)", among="TRUE",
         chance="p_certification_late", outcome="is_late", day="received_on"),
)  # fmt: skip

_CELLS = (
    "(), (stratum), (race), (citizenship), (race, citizenship), (stratum, citizenship), (stratum, race), (quarter),"
    " (quarter, stratum), (quarter, race), (quarter, citizenship)"
)


def write_truth(
    connection: duckdb.DuckDBPyConnection,
    *,
    folder: Path,
    effects: Effects,
    first_day: str,
    last_day: str,
    files: Sequence[Mapping[str, object]],
) -> None:
    """Write the truth about the world in `connection`; `files` is what the exporter counted."""
    connection.execute(
        f"""COPY (SELECT person_no(person) AS person_no, race, citizenship, first_day FROM person ORDER BY person)
        TO {literal(str(folder / "persons.parquet"))} (FORMAT parquet)"""
    )
    union = " UNION ALL ".join(_rate_sql(rate, first_day, last_day) for rate in RATES)
    connection.execute(
        f"""COPY (SELECT DISTINCT * FROM ({union}) ORDER BY ALL) TO {literal(str(folder / "rates.parquet"))} (FORMAT parquet)"""
    )
    planted = [
        {
            "id": effect.id,
            "title": effect.title,
            "measure": effect.measure,
            "decision": effect.decision,
            "group": {trait: list(values) for trait, values in effect.group.items()},
            "from": str(effect.since) if effect.since else None,
            "to": str(effect.until) if effect.until else None,
            "size": effect.size,
            **_contrast(connection, effect.decision, effect.sql, first_day, last_day),
        }
        for effect in effects.planted
    ]
    _write(folder / "effects.json", {"knowledge": effects.knowledge, "planted": planted, "nature": list(NATURE)})
    _write(folder / "dirt.json", list(files))
    _write(folder / "canaries.json", CANARIES)


def _rate_sql(rate: Rate, first_day: str, last_day: str) -> str:
    # The expected counts are summed as whole millionths: a sum of floats would depend on the order of the threads.
    return f"""SELECT
        '{rate.measure}' AS measure_id, '{rate.decision}' AS decision, '{rate.unit}' AS unit,
        coalesce(stratum, 'all') AS stratum, coalesce(quarter, 'all') AS quarter, coalesce(race, 'all') AS race,
        coalesce(citizenship, 'all') AS citizenship,
        count(*) AS cases, CAST(sum(chance) AS BIGINT) / 1e6 AS expected,
        CAST(count_if(outcome) AS BIGINT) AS observed
    FROM (
        SELECT race, citizenship, {rate.stratum} AS stratum, year({rate.day}) || '-Q' || quarter({rate.day}) AS quarter,
            CAST(round(1e6 * ({rate.chance})) AS BIGINT) AS chance, ({rate.outcome}) AS outcome
        FROM {rate.rows} WHERE ({rate.among}) AND CAST({rate.day} AS DATE) BETWEEN DATE '{first_day}' AND DATE '{last_day}'
    ) GROUP BY GROUPING SETS ({_CELLS})"""


def _contrast(
    connection: duckdb.DuckDBPyConnection, decision: str, sql: Callable[..., str], first_day: str, last_day: str
) -> Mapping[str, object]:
    """The expected rate of the decision where the effect holds and where it does not, over the whole period."""
    rate = next((r for r in RATES if r.decision == decision), None)
    if rate is None:
        return {}
    inside = f"({sql(day=rate.day, traits=rate.traits)}) <> 0"
    found = connection.execute(
        f"""SELECT count_if(inside), sum(chance) FILTER (inside) / 1e6, count_if(NOT inside), sum(chance) FILTER (NOT inside) / 1e6
        FROM (SELECT CAST(round(1e6 * ({rate.chance})) AS BIGINT) AS chance, {inside} AS inside
            FROM {rate.rows} WHERE ({rate.among}) AND CAST({rate.day} AS DATE) BETWEEN DATE '{first_day}' AND DATE '{last_day}')"""
    ).fetchone()
    assert found is not None
    n, expected, n_outside, expected_outside = found
    return {
        "cases_where_it_holds": n,
        "rate_where_it_holds": round(float(expected) / n, 6) if n else None,
        "cases_elsewhere": n_outside,
        "rate_elsewhere": round(float(expected_outside) / n_outside, 6) if n_outside else None,
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
