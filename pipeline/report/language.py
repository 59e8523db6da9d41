"""One language of the pages: its words from a gettext catalogue, its numbers and dates from CLDR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import isnan
from pathlib import Path

from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from markupsafe import Markup

LOCALE_FOLDER = Path(__file__).resolve().parent / "locale"

#: Language of the page: its CLDR locale. Spanish as written in the United States: 1,234.5 and 12%.
LOCALES: Mapping[str, str] = {"en": "en_US", "es": "es_US"}
NAMES: Mapping[str, str] = {"en": "English", "es": "Español"}


@dataclass(frozen=True)
class Language:
    """`_("text {name}", name=...)` translates and fills in; a text the catalogue lacks stays English."""

    code: str

    @property
    def locale(self) -> str:
        return LOCALES[self.code]

    @property
    def words(self) -> Mapping[str, str]:
        return catalogue(self.code)

    def __call__(self, text: str, **values: object) -> str:
        translated = self.words.get(text) or text
        return translated.format(**values) if values else translated

    def speaks(self, text: str) -> bool:
        """Whether `text` is in this language, or would be left in English."""
        return self.code == "en" or bool(self.words.get(text))

    def english(self, text: str) -> str:
        """An English text in this language; where it stays English, marked so that it is read aloud as English."""
        return self(text) if self.speaks(text) else Markup('<span lang="en">{}</span>').format(text)

    def count(self, number: float) -> str:
        return str(format_decimal(round(number), locale=self.locale))

    def number(self, number: float) -> str:
        """At most three significant digits below 100, whole above: 2.41, 36.5, 1,204."""
        pattern = "#,##0" if abs(number) >= 100 else "#,##0.#" if abs(number) >= 10 else "#,##0.##"
        return str(format_decimal(number, format=pattern, locale=self.locale))

    def share(self, share: float, *, digits: int = 0) -> str:
        """0.714 as 71%; with one digit 71.4%. A share that is not 0 never reads 0%."""
        if digits == 0 and 0 < abs(share) < 0.01:
            digits = 1
        return str(
            format_percent(share, format="#,##0" + ("." + "0" * digits if digits else "") + "%", locale=self.locale)
        )

    def value(self, number: float, unit: str, *, digits: int = 0) -> str:
        """A number in the unit of its measure (column `unit` of the catalogue)."""
        if unit == "share":
            return self.share(number, digits=digits)
        if unit == "usd":
            return str(
                format_currency(number, "USD", format="¤#,##0", currency_digits=False, locale=self.locale)
            ).replace("-", "−")
        text = self.number(number)
        return f"{text} {self(one(unit) if text == '1' else unit)}" if unit not in ("", "count") else text

    def gap(self, difference: float, unit: str) -> str:
        """A signed difference: +7 points, −$1,500."""
        if unit == "share" and abs(difference) < 0.0005:  # what rounds to nothing has no sign
            difference = 0.0
        sign = "+" if difference > 0 else "−" if difference < 0 else "±"
        if unit == "share":
            points = abs(difference) * 100
            text = format_decimal(points, format="0.0" if 0 < points < 10 else "0", locale=self.locale)
            word = self("points")
            return f"{sign}{text} {word}"
        return sign + self.value(abs(difference), unit)

    def interval(self, low: float, high: float, unit: str, *, signed: bool = False) -> str:
        """Two ends in the unit of a measure, which is named once: −12 to −6.8 points. A dash where there is none."""
        if isnan(low) or isnan(high):
            return "–"
        ends = [self.gap(end, unit) if signed else self.value(end, unit, digits=1) for end in (low, high)]
        word = ends[1].partition(" ")[2]
        if word and ends[0].endswith(f" {word}"):
            ends[0] = ends[0].removesuffix(f" {word}")
        return self("{low} to {high}", low=ends[0], high=ends[1])

    def listed(self, items: Sequence[str]) -> str:
        """a, b and c."""
        *first, last = items
        return self("{first} and {last}", first=", ".join(first), last=last) if first else last

    def day(self, day: date | str) -> str:
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return str(format_date(day, format="long", locale=self.locale))

    def month(self, day: date | str) -> str:
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return str(format_date(day, format="LLLL y" if self.code == "en" else "LLLL 'de' y", locale=self.locale))

    def period(self, period: str) -> str:
        """`all`, `2024` or `2024-Q1`, as it is read."""
        if period == "all":
            return self("whole period")
        year, _, quarter = period.partition("-Q")
        return self("Q{quarter} {year}", quarter=quarter, year=year) if quarter else year


def one(unit: str) -> str:
    """The unit of a measure where there is one of it: `days` is `day`, `inquiries` is `inquiry`, `cases opened` `case opened`."""
    first, space, rest = unit.partition(" ")
    return {"people": "person", "inquiries": "inquiry"}.get(first, first.removesuffix("s")) + space + rest


@cache
def catalogue(code: str) -> Mapping[str, str]:
    """Every translated text of a language: English -> its own words. English needs none."""
    texts: dict[str, str] = {}
    for path in sorted((LOCALE_FOLDER / code).glob("**/*.po")):
        with path.open("rb") as file:
            texts |= {
                str(entry.id): str(entry.string) for entry in read_po(file, locale=code) if entry.id and entry.string
            }
    return texts


ENGLISH, SPANISH = Language("en"), Language("es")
LANGUAGES = tuple(Language(code) for code in LOCALES)
