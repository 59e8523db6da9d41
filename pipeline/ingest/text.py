"""The bytes of a file as UTF-8 text: unpacked, decoded as office.yml says, and never more than the file could honestly hold."""

from __future__ import annotations

import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.archive import MOST_EXPANSION, is_bomb
from pipeline.ingest.content import GZIP, HEAD, XZ, Content, recognise
from pipeline.ingest.freeze import SourceFile

CHUNK = 1 << 22
#: A line or an item longer than this is no record of anything.
LONGEST_RECORD = 1 << 24
#: Bytes that text of single bytes may use one or two of, to part its fields; of compressed bytes one in a dozen is one.
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a]")
#: What reading damaged compressed bytes can raise.
DAMAGE = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error, OSError)


def refused(
    source: SourceFile, code: str, what: str, *, line: int | None = None, expected: str = "", fix: str = ""
) -> AuditError:
    """The error that says why a file cannot be read."""
    return AuditError(
        [Problem(code=code, where=place(file=source.shown, line=line), what=what, expected=expected, fix=fix)]
    )


@contextmanager
def decompressed(source: SourceFile) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if they are gzip or xz, whatever the file is called."""
    with source.path.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        if magic.startswith(GZIP):
            with gzip.open(raw) as stream:
                yield stream  # type: ignore[misc]
        elif magic.startswith(XZ):
            with lzma.open(raw) as stream:
                yield stream
        else:
            yield raw


def is_compressed(source: SourceFile) -> bool:
    """Whether the file is gzip or xz."""
    with source.path.open("rb") as raw:
        return raw.read(6).startswith((GZIP, XZ))


def content_of(source: SourceFile) -> Content | None:
    """What the file is, unpacked, by its first bytes; None if it is text or unknown."""
    try:
        with decompressed(source) as stream:
            return recognise(stream.read(HEAD), source.path)
    except DAMAGE as error:
        raise damaged(source, error) from error


def damaged(source: SourceFile, error: BaseException) -> AuditError:
    """The error for a compressed file that ends too soon or is not what it began as."""
    return refused(
        source,
        "IIU113",
        f"breaks off or is damaged ({type(error).__name__})",
        expected="a whole file",
        fix="Ask for the file again: part of it is missing",
    )


def encodings(source: SourceFile) -> tuple[str, ...]:
    """The encodings that office.yml names, by their canonical names; several are tried line by line."""
    stated = source.mapping.format.get("encoding", "utf-8")
    names = [stated] if isinstance(stated, str) else list(stated)
    found = []
    for name in names:
        try:
            codec = codecs.lookup(name)
        except LookupError:
            codec = None
        # Some codecs of Python turn bytes into bytes, or text into text; only encodings of text are meant.
        if codec is None or not codec._is_text_encoding or codec.name in ("idna", "punycode", "undefined"):
            raise refused(
                source,
                "IIU111",
                f"[{name}] is no known encoding",
                expected="utf-8, windows-1252, latin-1, utf-16, ...",
                fix="Correct `encoding` in office.yml",
            )
        found.append(codec.name)
    if len(found) > 1 and any(name.startswith(("utf-16", "utf-32")) for name in found):
        raise refused(
            source,
            "IIU111",
            "a list of encodings holds UTF-16 or UTF-32",
            expected="encodings in which a line ends with the same byte, as [utf-8, windows-1252]",
            fix="Correct `encoding` in office.yml",
        )
    return tuple(found)


def utf8_chunks(source: SourceFile, warnings: list[Problem]) -> Iterator[bytes]:
    """The file's text as UTF-8, unpacked. Bytes that no stated encoding holds are a problem that names their line."""
    names = encodings(source)
    packed, unpacked = source.path.stat().st_size, 0
    with decompressed(source) as stream:
        head = stream.read(HEAD)
    if not names[0].startswith(("utf-16", "utf-32")):
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise refused(
                source,
                "IIU111",
                "is in UTF-16",
                expected=f"{' or '.join(names)}, as office.yml says",
                fix="Set `encoding: utf-16`",
            )
        if len(set(_CONTROL.findall(head))) > 2:
            raise refused(
                source,
                "IIU113",
                "is no text, nor anything that its first bytes tell",
                expected="text, or a whole gzip, xz or zip",
                fix="Ask for the file again: it is damaged, or not what it was meant to be",
            )
    with decompressed(source) as stream:
        for chunk in (_by_line if len(names) > 1 else _by_file)(source, stream, names, warnings):
            unpacked += len(chunk)
            if is_bomb(packed=packed, unpacked=unpacked) and is_compressed(source):
                raise refused(
                    source,
                    "IIU113",
                    f"grows more than {MOST_EXPANSION} times as it is unpacked",
                    expected="the records of an office",
                    fix="Unpack it yourself, look at what it holds, and give the file",
                )
            yield chunk


def _by_file(source: SourceFile, stream: IO[bytes], names: tuple[str, ...], warnings: list[Problem]) -> Iterator[bytes]:
    (encoding,) = names
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    doubt = _Utf8Doubt(encoding)
    line = 1
    while True:
        chunk = stream.read(CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = line + error.object[: error.start].count(b"\n")
            raise refused(
                source,
                "IIU111",
                f"a byte on this line is not {encoding} (byte {error.object[error.start]:#04x})",
                line=at,
                expected=f"{encoding} text, as office.yml says",
                fix="Set the right `encoding`: windows-1252 is the usual one; `[utf-8, windows-1252]` where one file mixes them",
            ) from error
        except UnicodeError as error:
            raise refused(
                source, "IIU111", f"is not {encoding}", expected=f"{encoding} text", fix="Set the right `encoding`"
            ) from error
        line += chunk.count(b"\n")
        doubt.feed(chunk)
        if text:
            yield chunk if encoding == "utf-8" and not decoder.getstate()[0] and text.isascii() else text.encode()
        if not chunk:
            break
    if doubt.is_utf8:
        warnings.append(
            Problem(
                code="IIU303",
                where=place(file=source.shown),
                severity="warning",
                what=f"is read as {encoding}, yet every byte beyond ASCII in it is sound UTF-8: names and places may be garbled",
                expected="the encoding that the file is in",
                fix="Look at a row with an accent, and set `encoding: utf-8` if it is garbled",
            )
        )


class _Utf8Doubt:
    """Whether bytes that are read in a single-byte encoding are UTF-8 instead: any bytes are sound text in the former."""

    def __init__(self, encoding: str) -> None:
        single = encoding.startswith(("cp125", "iso8859", "latin", "mac"))
        self._decoder = codecs.getincrementaldecoder("utf-8")() if single else None
        self._beyond_ascii = False

    def feed(self, chunk: bytes) -> None:
        if self._decoder is None or (chunk.isascii() and not self._decoder.getstate()[0] and chunk):
            return
        self._beyond_ascii = self._beyond_ascii or not chunk.isascii()
        try:
            self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self._decoder = None

    @property
    def is_utf8(self) -> bool:
        return self._decoder is not None and self._beyond_ascii


def _by_line(source: SourceFile, stream: IO[bytes], names: tuple[str, ...], warnings: list[Problem]) -> Iterator[bytes]:
    """Each line in the first of the encodings that holds it: some systems paste what each clerk's machine wrote."""
    by_encoding = dict.fromkeys(names, 0)
    gathered: list[str] = []
    size = 0
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_RECORD), b""), start=1):
        for name in names:
            try:
                gathered.append(line.decode(name))
            except UnicodeDecodeError:
                continue
            by_encoding[name] += 1
            break
        else:
            raise refused(
                source,
                "IIU111",
                f"this line is in none of {', '.join(names)}",
                line=number,
                expected="one of the encodings of office.yml",
                fix="Add the right one to `encoding`",
            )
        size += len(line)
        if size >= CHUNK:
            yield "".join(gathered).encode()
            gathered, size = [], 0
    yield "".join(gathered).encode()
    warnings += [
        Problem(
            code="IIU303",
            where=place(file=source.shown),
            severity="warning",
            what=f"{by_encoding[name]} lines are not {names[0]} and are read as {name}",
            fix="Look at one of them: a wrong encoding garbles letters, and never says so",
        )
        for name in names[1:]
        if by_encoding[name]
    ]
