"""The settings of one audit, frozen: what may differ between two audits of the same files, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """What the models, the statistics and the pages are told about this audit.

    `as_of_date` is the day of the export and the only today there is: open spells are censored on it. `period_from`
    and `period_to` bound the decisions reported on. The reference groups are named here and never follow the data.
    `cannot_answer` names measures, each with the reason, that these records cannot answer although every column is
    there, because of who or what is in them: a list of people with a detainer says nothing of how common detainers are.
    `finest_period` is the shortest time that the records tell apart: where only the year of a decision is known, or
    only that it lies within the period, nothing finer is computed.
    `totals` says what `all` sums: the whole `period`, or `finished_years`, which ends it with the last year that is over.
    An office that releases each quarter needs the second: a total that grows each quarter gives the quarter away to
    whoever subtracts the total before it, down to groups that are far too small to be shown by quarter.
    """

    office: str
    title: str
    jurisdiction: str
    as_of_date: date
    period_from: date
    period_to: date
    reference_race: str
    reference_citizenship: str
    seed: int
    cannot_answer: tuple[tuple[str, str], ...] = ()
    finest_period: str = "quarter"
    totals: str = "period"

    @property
    def totals_to(self) -> date:
        """The last day that totals hold: the last 31 December of the period, where they end with finished years."""
        ended = self.period_to.year - (self.period_to < date(self.period_to.year, 12, 31))
        none_ended = date(ended, 12, 31) < self.period_from
        return self.period_to if self.totals == "period" or none_ended else date(ended, 12, 31)

    @property
    def window(self) -> str:
        """The first and the last quarter that totals hold: 2015-Q1/2024-Q4."""
        first, last = (f"{day.year}-Q{(day.month + 2) // 3}" for day in (self.period_from, self.totals_to))
        return f"{first}/{last}"
