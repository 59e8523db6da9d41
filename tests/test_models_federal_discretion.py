"""What the mart of federal discretion decides, written as small tables: rows in, counts out."""

from __future__ import annotations

from datetime import date

from tests.worlds import build, cells_of, rows, wrongly_documented

WORLD = {
    "ice_contact": rows(
        """
        contact_id  person_id  at                type
        none        nobody     2016-03-01T00:00  detainer
        felon       felon      2016-03-01T00:00  detainer
        unnamed     -          2016-03-01T00:00  detainer
        later       nobody     2018-03-01T00:00  detainer
        arrest      nobody     2016-03-01T00:00  arrest
        """
    ),
    "case_": rows("case_id person_id\nfelon felon"),
    "charge": rows("charge_id case_id version_no stage severity\nfelon felon 1 convicted felony"),
    "disposition": rows("disposition_id charge_id disposed_on type\nfelon felon 2015-01-01 plea_guilty"),
    "policy": rows("policy_id version title effective_from\np 1 p 2015-01-01"),
    "policy_application": rows(
        """
        application_id  policy_id  case_id  decided_at  complied  factor
        a1              p          felon    2016-03-01  true      family
        a2              p          felon    2016-03-01  false     age
        a3              p          felon    2016-03-01  -         age
        a4              p          felon    2016-03-01  true      -
        """
    ),
}


def test_only_detainers_of_the_time_that_can_be_classed_and_only_facts_on_record_are_counted() -> None:
    built = build(WORLD, as_of=date(2024, 12, 31), period=(date(2015, 1, 1), date(2024, 12, 31)))
    assert cells_of(built, "FED-01", 2016) == (1, 2)
    assert cells_of(built, "FED-01", 2018) == {}
    assert cells_of(built, "FED-04", 2016) == {"family": (1, 1), "age": (0, 1)}
    assert wrongly_documented(built, "federal_discretion") == []
