"""Records of invented persons as clerks would write them, with the truth: `python -m tests.persons 1000000` links that many.

Of each further record of a person some have a slip in a name, a nickname, a new surname, forename and surname in each
other's place, or a birth with a wrong digit or two that changed places.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate

from pipeline.ingest.link import MARK, link

_SYLLABLES = "ba be bi bo da de di do fa fe ga go ha he ja jo ka ke ko la le li lo ma me mi mo na ne no pa pe ra re ri ro sa se so ta te to va vi wa ya za".split()
_ENDS = ["n", "r", "s", "son", "z", "man", "", "ez", "ck", "ll"]
Record = tuple[str, str, str, str]


def names(rng: random.Random, count: int, lengths: Sequence[int]) -> tuple[list[str], list[float]]:
    """Names with how common they are: a few are borne by many, most by few (Zipf)."""
    found: set[str] = set()
    while len(found) < count:
        found.add("".join(rng.choice(_SYLLABLES) for _ in range(rng.choice(lengths))) + rng.choice(_ENDS))
    listed = sorted(found)
    rng.shuffle(listed)
    return listed, list(accumulate(1 / (rank + 20) for rank in range(count)))


def slip(rng: random.Random, name: str) -> str:
    at = rng.randrange(len(name))
    kind = rng.randrange(3)
    if kind == 0 and len(name) > 3:
        return name[:at] + name[at + 1 :]
    if kind == 1 and at + 1 < len(name):
        return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return name[:at] + rng.choice("abcdefghijklmnoprstuvw") + name[at + 1 :]


def moved(rng: random.Random, born: str) -> str:
    """A birth with two digits that changed places or one that is another, if that is a day at all; else as it was."""
    digits = list(born)
    at = rng.choice([i for i, c in enumerate(digits[:-1]) if c != "-" and digits[i + 1] != "-"])
    if rng.random() < 0.5:
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
    else:
        digits[at] = rng.choice("0123456789")
    try:
        return date.fromisoformat("".join(digits)).isoformat()
    except ValueError:
        return born


def records(persons: int, seed: int) -> list[tuple[Record, int]]:
    """Records with the number of their person: one to five of each, in no order."""
    rng = random.Random(seed)
    surnames, of_surname = names(rng, 8_000, (2, 2, 3))
    forenames, of_forename = names(rng, 900, (1, 2, 2))
    nicknames = {name: rng.choice(forenames) for name in forenames}
    first = date(1944, 1, 1)
    made: list[tuple[Record, int]] = []
    for person in range(persons):
        forename, surname = rng.choices(forenames, cum_weights=of_forename)[0], rng.choices(surnames, cum_weights=of_surname)[0]  # fmt: skip
        born, sex = (first + timedelta(days=rng.randrange(22_000))).isoformat(), rng.choice("MMMF")
        for copy in range(rng.choice((1, 1, 2, 2, 3, 5))):
            f, s, b, x = forename, surname, born, sex
            if copy:
                kind = rng.random()
                if kind < 0.06:
                    f = slip(rng, f)
                elif kind < 0.11:
                    s = slip(rng, s)
                elif kind < 0.13:
                    f, s = s, f
                elif kind < 0.15:
                    f = nicknames[f]
                elif kind < 0.16:
                    s = rng.choices(surnames, cum_weights=of_surname)[0]
                elif kind < 0.20:
                    b = moved(rng, b)
                x = rng.choice("MF") if rng.random() < 0.01 else x
            made.append(((f.title() if rng.random() < 0.5 else f.upper(), s.upper(), b, x), person))
    rng.shuffle(made)
    return made


def identity(record: Record) -> str:
    return MARK.join(record)


def precision_and_recall(made: Sequence[tuple[Record, int]], person_of: Mapping[str, str]) -> tuple[float, float]:
    """Of the pairs of records that were joined, how many are one person's; of those that are, how many were joined."""

    def pairs(key: Callable[[Record, int], object]) -> int:
        return sum(n * (n - 1) // 2 for n in Counter(key(record, person) for record, person in made).values())

    joined = pairs(lambda record, person: person_of[identity(record)])
    true = pairs(lambda record, person: person)
    both = pairs(lambda record, person: (person, person_of[identity(record)]))
    return both / joined, both / true


def main() -> int:
    made = records(int(sys.argv[1]) * 6 // 14, seed=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    begun = time.process_time()
    linked = link(sorted({identity(record) for record, _ in made}))
    seconds = time.process_time() - begun
    precision, recall = precision_and_recall(made, linked.person_of)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{len(made)} records, {len(linked.person_of)} identities: precision {precision:.4f}, recall {recall:.4f}; "
          f"{seconds:.0f} CPU s, {peak} MiB at most, {before} before")  # fmt: skip
    print(*linked.thresholds, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
