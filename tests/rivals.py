"""The cells of the bench's bare script as somebody would write them in pandas, and in polars: `tests/bench.py` times them.

Each loads every CSV file of the exports as text, as that script does, and counts the same cells. They share with it the
file formats and nothing else, so that each is a second opinion of the others.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl

KEY = ["quarter", "race", "citizenship", "offence_group"]
#: Measure: its numerator and its denominator.
MEASURES = {
    "CHG-01": ("filed", "decided"),
    "CHG-02": ("declined", "decided"),
    "BAIL-03": ("detention", "asked"),
    "BAIL-13": ("cash_or_detention", "asked"),
}
BLANKS = " \t\n\r\xa0"
OFFENCE = {
    **dict.fromkeys(("hom", "sex", "rob", "aslt", "dv"), "violent"),
    **dict.fromkeys(("burg", "thft", "theft", "frd", "prop"), "property"),
    **dict.fromkeys(("drgp", "drgs"), "drug"),
    **dict.fromkeys(("dui", "traf"), "driving"),
    **dict.fromkeys(("wpn", "pubo", "pros", "just"), "public_order"),
    "othr": "other",
}
RACE = {
    "w": "white", "white": "white", "b": "black", "black": "black", "h": "hispanic_latino", "hisp": "hispanic_latino",
    "a": "asian", "i": "aian", "me": "mena", "p": "nhpi", "mx": "multiracial", "o": "other",
}  # fmt: skip
GRAVITY = {**dict.fromkeys(("f", "fel", "wf"), 3), **dict.fromkeys(("m", "misd", "wm"), 2), "i": 1, "inf": 1}
HEARD_BY = ("bkself", "consul", "detnr", "icerec", "def", "ctrec", "volform")
ASKED = ("or", "sor", "ncc", "cash", "nobail", "submit")
FIRST, LAST = "2015-01-01", "2024-12-31"


def tie(key: bytes, text: str) -> str:
    """By what charges of an arrest that are alike are put in order: the hash of their number."""
    digest = hmac.digest(key, f"arrest_charge.arrest_charge_id|{text}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest)[:12].decode()


# --- pandas -----------------------------------------------------------------------------------------------------------


def with_pandas(files: dict[str, tuple[list[Path], str]], key: bytes, target: Path) -> None:
    """`files`: the paths of each, in the order in which they were sent, and its delimiter."""
    tables = {
        name: pd.concat(
            [
                pd.read_csv(p, sep=s, dtype=str, keep_default_na=False, na_values=[""], on_bad_lines="skip")
                for p in paths
            ],
            ignore_index=True,
        )
        for name, (paths, s) in files.items()
    }

    def told(cell: pd.Series) -> pd.Series:
        stripped = cell.str.strip(BLANKS)
        return stripped.where(stripped != "")

    def code(cell: pd.Series) -> pd.Series:
        return told(cell).str.replace(r"\s+", " ", regex=True).str.lower()

    def kind(cell: pd.Series) -> pd.Series:
        said = code(cell)
        return said.where(said.isin(list(OFFENCE)))

    def day(cell: pd.Series, form: str) -> pd.Series:
        return pd.to_datetime(told(cell), format=form, errors="coerce").dt.normalize()

    def sent_last(rows: pd.DataFrame, number: str, *needed: str) -> pd.DataFrame:
        return rows.dropna(subset=[number, *needed]).drop_duplicates(number, keep="last")

    people = tables["person_index"]
    person = told(people["PERSON_NO"])
    sources = [code(people["RACE"]).map(RACE), code(people["RACE_2"]).map(RACE)]
    sources.append(code(people["HISP"]).map({"y": "hispanic_latino"}))
    races = pd.concat([pd.DataFrame({"person": person, "race": source}) for source in sources]).dropna()
    races = races.drop_duplicates()
    several = races["person"].duplicated(keep=False)
    hispanic = races.loc[races["race"].eq("hispanic_latino"), "person"]
    races["race"] = races["race"].mask(several, "multiracial")
    races["race"] = races["race"].mask(races["person"].isin(hispanic), "hispanic_latino")
    race = races.drop_duplicates("person").set_index("person")["race"]

    log = tables["citizenship_log"]
    statement = pd.DataFrame({
        "entry": told(log["ENTRY_NO"]), "person": told(log["PERSON_NO"]), "said": code(log["STMT"]),
        "learned": code(log["LEARNED"]), "permission": code(log["PERM"]), "day": day(log["ENTERED"], "%Y%m%d"),
    })  # fmt: skip
    statement = sent_last(statement, "entry", "person", "day")
    statement = statement[statement["learned"].isin(HEARD_BY) & statement["permission"].ne("wh")]
    citizen_on = statement[statement["said"].isin(["usc", "usn"])].groupby("person")["day"].min()
    noncitizen_on = statement[statement["said"].eq("nonc")].groupby("person")["day"].min()

    sent = tables["matters"]
    matter = pd.DataFrame({
        "matter": told(sent["MATTER_NO"]), "person": told(sent["PERSON_NO"]), "arrest": told(sent["ARREST_NO"]),
        "decision": code(sent["DECN"]), "day": day(sent["DECN_DT"], "%Y-%m-%d"), "category": kind(sent["LEAD_OFF"]),
        "received": day(sent["RECD"], "%Y-%m-%d"),
    })  # fmt: skip
    matter = sent_last(matter, "matter", "person", "received")

    arrests = tables["arrests"]
    lacking = matter.loc[matter["category"].isna(), "arrest"].dropna()
    arrest = told(arrests["ARREST_NO"])
    asked_of = arrests[arrest.isin(lacking) & day(arrests["ARREST_DTTM"], "%m/%d/%Y %H:%M").notna()]
    charges = pd.concat([
        pd.DataFrame({
            "arrest": told(asked_of["ARREST_NO"]), "place": str(i), "statute": told(asked_of[f"CHG{i}_STATUTE"]),
            "category": kind(asked_of[f"CHG{i}_CAT"]), "gravity": code(asked_of[f"CHG{i}_CLASS"]).map(GRAVITY).fillna(0),
        })
        for i in (1, 2, 3)
    ]).dropna(subset="statute")  # fmt: skip
    number = charges["arrest"] + "|" + charges["place"] + "|" + charges["statute"]
    charges = charges.assign(unknown=charges["category"].isna(), tie=[tie(key, text) for text in number])
    charges = charges.sort_values(["gravity", "unknown", "tie"], ascending=[False, True, True])
    of_arrest = charges.drop_duplicates("arrest").set_index("arrest")["category"]
    matter["category"] = matter["category"].fillna(matter["arrest"].map(of_arrest))

    ledger = tables["charges"]
    top = pd.DataFrame({"case_no": told(ledger["CASE_NO"]), "category": kind(ledger["CAT"])})
    top = top[code(ledger["TOP"]).eq("y")].dropna(subset="case_no").drop_duplicates("case_no", keep="last")
    cases = tables["cases"]
    case = pd.DataFrame(
        {"case_no": told(cases["CASE_NO"]), "person": told(cases["PERSON_NO"]), "matter": told(cases["MATTER_NO"])}
    )
    case = sent_last(case, "case_no", "person").set_index("case_no")

    bail = tables["bail"]
    hearing = pd.DataFrame({
        "bail_no": told(bail["BAIL_NO"]), "case_no": told(bail["CASE_NO"]),
        "asked": code(bail["PEOPLE_ASK"].fillna(bail["DA_REQ"])), "day": day(bail["HEARD"], "%m/%d/%Y %I:%M:%S %p"),
    })  # fmt: skip
    hearing = sent_last(hearing, "bail_no", "case_no", "day")
    hearing = hearing[hearing["asked"].isin(ASKED)]
    hearing["person"] = hearing["case_no"].map(case["person"])
    of_matter = hearing["case_no"].map(case["matter"]).map(matter.set_index("matter")["category"])
    hearing["category"] = hearing["case_no"].map(top.set_index("case_no")["category"]).fillna(of_matter)

    matter["filed"], matter["declined"] = matter["decision"].eq("file"), matter["decision"].eq("reject")
    matter["decided"] = matter["decision"].isin(["file", "reject", "divert"])
    hearing["detention"] = hearing["asked"].eq("nobail")
    hearing["cash_or_detention"] = hearing["asked"].isin(["nobail", "cash"])
    hearing = hearing.drop(columns="asked").assign(asked=True)
    rows = pd.concat([matter[matter["day"].between(FIRST, LAST)], hearing[hearing["day"].between(FIRST, LAST)]])
    is_citizen = rows["person"].map(citizen_on).le(rows["day"])
    is_noncitizen = rows["person"].map(noncitizen_on).le(rows["day"])
    told_apart = pd.Series("unknown", index=rows.index).mask(is_citizen & ~is_noncitizen, "citizen")
    rows = rows.assign(
        quarter=rows["day"].dt.year.astype(str) + "-Q" + rows["day"].dt.quarter.astype(str),
        race=rows["person"].map(race).fillna("unknown"),
        citizenship=told_apart.mask(is_noncitizen & ~is_citizen, "noncitizen"),
        offence_group=rows["category"].map(OFFENCE).fillna("unknown"),
    )
    flags = sorted({flag for pair in MEASURES.values() for flag in pair})
    counted = rows.assign(**{flag: rows[flag].eq(True) for flag in flags}).groupby(KEY)[flags].sum().reset_index()
    cells = pd.concat([
        counted[[*KEY, k, n]].set_axis([*KEY, "numerator", "denominator"], axis=1).assign(measure_id=measure)
        for measure, (k, n) in MEASURES.items()
    ])  # fmt: skip
    cells[cells["denominator"] > 0].to_parquet(target, index=False)


# --- polars -----------------------------------------------------------------------------------------------------------


def with_polars(files: dict[str, tuple[list[Path], str]], key: bytes, target: Path) -> None:
    """As `with_pandas`."""
    tables = {
        name: pl.concat(
            [pl.read_csv(p, separator=s, infer_schema=False, truncate_ragged_lines=True) for p in paths], how="diagonal"
        ).lazy()
        for name, (paths, s) in files.items()
    }

    def told(name: str) -> pl.Expr:
        stripped = pl.col(name).str.strip_chars(BLANKS)
        return pl.when(stripped != "").then(stripped)

    def code(cell: pl.Expr) -> pl.Expr:
        return cell.str.replace_all(r"\s+", " ").str.to_lowercase()

    def kind(name: str) -> pl.Expr:
        said = code(told(name))
        return pl.when(said.is_in(list(OFFENCE))).then(said)

    def day(name: str, form: str) -> pl.Expr:
        return told(name).str.to_datetime(form, strict=False).dt.date()

    def mapped(cell: pl.Expr, words: dict[str, str]) -> pl.Expr:
        return cell.replace_strict(words, default=None, return_dtype=pl.String)

    def sent_last(rows: pl.LazyFrame, number: str, *needed: str) -> pl.LazyFrame:
        return rows.drop_nulls([number, *needed]).unique(number, keep="last", maintain_order=True)

    hispanic = pl.when(code(told("HISP")) == "y").then(pl.lit("hispanic_latino"))
    races = pl.concat([
        tables["person_index"].select(told("PERSON_NO").alias("person"), source.alias("race"))
        for source in (mapped(code(told("RACE")), RACE), mapped(code(told("RACE_2")), RACE), hispanic)
    ]).drop_nulls()  # fmt: skip
    race = races.group_by("person").agg(
        pl.when((pl.col("race") == "hispanic_latino").any())
        .then(pl.lit("hispanic_latino"))
        .when(pl.col("race").n_unique() == 1)
        .then(pl.col("race").min())
        .otherwise(pl.lit("multiracial"))
        .alias("race")
    )

    statement = sent_last(
        tables["citizenship_log"].select(
            told("ENTRY_NO").alias("entry"), told("PERSON_NO").alias("person"), code(told("STMT")).alias("said"),
            code(told("LEARNED")).alias("learned"), code(told("PERM")).alias("permission"),
            day("ENTERED", "%Y%m%d").alias("known_on"),
        ), "entry", "person", "known_on",
    )  # fmt: skip
    said, known_on = pl.col("said"), pl.col("known_on")
    heard = pl.col("learned").is_in(HEARD_BY) & pl.col("permission").ne_missing("wh")
    citizenship = statement.filter(heard).group_by("person").agg(
        known_on.filter(said.is_in(["usc", "usn"])).min().alias("citizen_on"),
        known_on.filter(said == "nonc").min().alias("noncitizen_on"),
    )  # fmt: skip

    matter = sent_last(
        tables["matters"].select(
            told("MATTER_NO").alias("matter"), told("PERSON_NO").alias("person"), told("ARREST_NO").alias("arrest"),
            code(told("DECN")).alias("decision"), day("DECN_DT", "%Y-%m-%d").alias("day"),
            kind("LEAD_OFF").alias("category"), day("RECD", "%Y-%m-%d").alias("received"),
        ), "matter", "person", "received",
    ).collect().lazy()  # fmt: skip

    lacking = matter.filter(pl.col("category").is_null()).select("arrest").drop_nulls().unique()
    asked_of = tables["arrests"].with_columns(told("ARREST_NO").alias("arrest")).join(lacking, on="arrest", how="semi")
    asked_of = asked_of.filter(day("ARREST_DTTM", "%m/%d/%Y %H:%M").is_not_null())
    charges = pl.concat([
        asked_of.select(
            "arrest", pl.lit(str(i)).alias("place"), told(f"CHG{i}_STATUTE").alias("statute"),
            kind(f"CHG{i}_CAT").alias("category"),
            code(told(f"CHG{i}_CLASS")).replace_strict(GRAVITY, default=0, return_dtype=pl.Int64).alias("gravity"),
        )
        for i in (1, 2, 3)
    ]).drop_nulls("statute").collect()  # fmt: skip
    ties = [tie(key, f"{arrest}|{place}|{statute}") for arrest, place, statute in _rows(charges)]
    charges = charges.with_columns(
        pl.Series("tie", ties, dtype=pl.String), pl.col("category").is_null().alias("unknown")
    )
    charges = charges.sort("gravity", "unknown", "tie", descending=[True, False, False])
    of_arrest = (
        charges.unique("arrest", keep="first", maintain_order=True).select("arrest", of_arrest="category").lazy()
    )
    matter = matter.join(of_arrest, on="arrest", how="left").with_columns(
        pl.coalesce("category", "of_arrest").alias("category")
    )

    top = tables["charges"].filter(code(told("TOP")) == "y")
    top = sent_last(top.select(told("CASE_NO").alias("case_no"), kind("CAT").alias("of_charge")), "case_no")
    case = sent_last(
        tables["cases"].select(
            told("CASE_NO").alias("case_no"), told("PERSON_NO").alias("person"), told("MATTER_NO").alias("matter")
        ), "case_no", "person",
    )  # fmt: skip
    hearing = sent_last(
        tables["bail"].with_columns(pl.coalesce("PEOPLE_ASK", "DA_REQ").alias("ask")).select(
            told("BAIL_NO").alias("bail_no"), told("CASE_NO").alias("case_no"), code(told("ask")).alias("ask"),
            day("HEARD", "%m/%d/%Y %I:%M:%S %p").alias("day"),
        ), "bail_no", "case_no", "day",
    ).filter(pl.col("ask").is_in(ASKED))  # fmt: skip
    hearing = hearing.join(case, on="case_no", how="left").join(top, on="case_no", how="left")
    hearing = hearing.join(matter.select("matter", "category"), on="matter", how="left")

    decision, ask = pl.col("decision"), pl.col("ask")
    flags = sorted({flag for pair in MEASURES.values() for flag in pair})
    rows = pl.concat([
        matter.select(
            "person", "day", "category", filed=decision == "file", declined=decision == "reject",
            decided=decision.is_in(["file", "reject", "divert"]),
        ),
        hearing.select(
            "person", "day", pl.coalesce("of_charge", "category").alias("category"), detention=ask == "nobail",
            cash_or_detention=ask.is_in(["nobail", "cash"]), asked=pl.lit(True),
        ),
    ], how="diagonal")  # fmt: skip
    when = pl.col("day")
    is_citizen, is_noncitizen = ((pl.col(name) <= when).fill_null(False) for name in ("citizen_on", "noncitizen_on"))
    counted = (
        rows.filter(when.is_between(pl.lit(FIRST).str.to_date(), pl.lit(LAST).str.to_date()))
        .join(race, on="person", how="left")
        .join(citizenship, on="person", how="left")
        .with_columns(
            (when.dt.year().cast(pl.String) + "-Q" + when.dt.quarter().cast(pl.String)).alias("quarter"),
            pl.col("race").fill_null("unknown"),
            pl.when(is_citizen & ~is_noncitizen)
            .then(pl.lit("citizen"))
            .when(is_noncitizen & ~is_citizen)
            .then(pl.lit("noncitizen"))
            .otherwise(pl.lit("unknown"))
            .alias("citizenship"),
            mapped(pl.col("category"), OFFENCE).fill_null("unknown").alias("offence_group"),
        )
        .group_by(KEY)
        .agg(pl.col(flag).sum().cast(pl.Int64) for flag in flags)
        .collect()
    )
    cells = pl.concat(
        counted.select(pl.lit(measure).alias("measure_id"), *KEY, numerator=k, denominator=n)
        for measure, (k, n) in MEASURES.items()
    )
    cells.filter(pl.col("denominator") > 0).write_parquet(target)


def _rows(charges: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    return charges.select("arrest", "place", "statute").iter_rows()
