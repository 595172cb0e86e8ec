"""Reads exports back and compares them with what was exported: `read.py FOLDER…`.

Each folder has `expected.json`, the columns' kinds and the cells' texts, and beside it the exports, each under its format's name.
"""

import csv
import datetime
import decimal
import json
import math
import pathlib
import struct
import sys
import uuid

import openpyxl
import openpyxl.utils.escape
import pyarrow.ipc
import pyarrow.parquet

UTC = datetime.timezone.utc
# Its usual limit is 128 KiB.
csv.field_size_limit(sys.maxsize)
DAY_MICROS = 86_400_000_000


class Days(int):
    """Days since 1970: Python's own dates end with the year 9999."""


class Micros(int):
    """Microseconds since 1970."""


def days_of(text):
    """The days since 1970 of `YYYY-MM-DD` or `YYYY-MM-DD BC`, in the calendar that PostgreSQL has for all times."""
    date = text.removesuffix(" BC")
    year, month, day = (int(part) for part in date.split("-"))
    if date != text:
        year = 1 - year
    # Years that begin with March end with the leap day.
    year -= month <= 2
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + day_of_year - 719_468


def micros_of(text):
    era = " BC" if text.endswith(" BC") else ""
    date, clock = text.removesuffix(" BC").removesuffix("+00").split(" ")
    hours, minutes, seconds = clock.split(":")
    micros = decimal.Decimal(seconds) * 1_000_000 + (int(hours) * 60 + int(minutes)) * 60_000_000
    return days_of(date + era) * DAY_MICROS + int(micros)


def elements_of(text):
    """The texts of `{1,NULL,"a b",{…}}`: None for NULL, a list for an array inside."""
    at = 1
    found = []
    while text[at] != "}":
        if text[at] == ",":
            at += 1
        if text[at] == "{":
            depth, end, quoted = 0, at, False
            while True:
                if text[end] == "\\":
                    end += 1
                elif text[end] == '"':
                    quoted = not quoted
                elif not quoted:
                    depth += (text[end] == "{") - (text[end] == "}")
                end += 1
                if depth == 0:
                    break
            found.append(elements_of(text[at:end]))
            at = end
        elif text[at] == '"':
            at += 1
            piece = ""
            while text[at] != '"':
                at += text[at] == "\\"
                piece += text[at]
                at += 1
            found.append(piece)
            at += 1
        else:
            end = at
            while text[end] not in ",}":
                end += 1
            found.append(None if text[at:end] == "NULL" else text[at:end])
            at = end
    return found


def same_elements(values, texts, kind):
    return len(values) == len(texts) and all(
        same_elements(value, text, kind) if isinstance(text, list) else is_same(value, text, kind)
        for value, text in zip(values, texts)
    )


def same_float(value, text, width):
    value, wanted = float(value), float(text.replace("Infinity", "inf"))
    if width == 4:
        try:
            wanted = struct.unpack("<f", struct.pack("<f", wanted))[0]
        except OverflowError:
            return False
    return value == wanted or (math.isnan(value) and math.isnan(wanted))


def timestamp(text):
    return datetime.datetime.fromisoformat(text.removesuffix("+00"))


def is_same(value, text, kind):
    """Whether a value of a reader is the one that this text shows."""
    if value is None or text is None:
        return value is None and text is None
    if isinstance(value, str):
        return value == text
    if isinstance(value, Days):
        return value == days_of(text)
    if isinstance(value, Micros):
        return value == micros_of(text)
    if isinstance(value, list):
        return same_elements(value, elements_of(text), kind.removeprefix("Array:"))
    if kind == "BoolTF":
        return value is (text == "t")
    if kind in ("FloatPg", "FloatPoint"):
        return same_float(value, text, 8) or same_float(value, text, 4)
    if kind in ("Integer", "Decimal"):
        return decimal.Decimal(str(value)) == decimal.Decimal(text)
    if kind == "DateIso":
        day = value.date() if isinstance(value, datetime.datetime) else value
        return day.isoformat() == text
    if kind == "Time":
        return value == datetime.time.fromisoformat(text)
    if kind == "TimestampIso":
        return value == timestamp(text)
    if kind == "TimestampIsoUtc":
        return value.astimezone(UTC).replace(tzinfo=None) == timestamp(text)
    if kind == "Uuid":
        return (value if isinstance(value, uuid.UUID) else uuid.UUID(bytes=value)) == uuid.UUID(text)
    if kind == "BytesHex":
        return "\\x" + value.hex() == text
    return False


def sheet_rows(path):
    """The rows of all sheets, below their headers."""
    # Not `read_only`: that is another reader, which trusts more.
    with open(path, "rb") as file:
        for sheet in openpyxl.load_workbook(file).worksheets:
            for row in sheet.iter_rows(min_row=2, values_only=True):
                yield [openpyxl.utils.escape.unescape(cell) if isinstance(cell, str) else cell for cell in row]


def far(column):
    """A column whose values may lie further away than Python's own dates."""
    if pyarrow.types.is_date32(column.type):
        return [None if value is None else Days(value) for value in column.cast(pyarrow.int32()).to_pylist()]
    if pyarrow.types.is_timestamp(column.type):
        assert column.type.unit == "us", column.type
        return [None if value is None else Micros(value) for value in column.cast(pyarrow.int64()).to_pylist()]
    if pyarrow.types.is_list(column.type):
        return [far(scalar.values) if scalar.is_valid else None for scalar in column]
    return column.to_pylist()


def table_rows(table):
    return zip(*(far(column) for column in table.columns))


def read(folder, name):
    path = folder / name
    if name == "parquet":
        return table_rows(pyarrow.parquet.read_table(path))
    if name == "arrow":
        with pyarrow.ipc.open_stream(path) as stream:
            return table_rows(stream.read_all())
    if name == "xlsx":
        return sheet_rows(path)
    if name == "csv":
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.reader(file))[1:]
    if name == "ndjson":
        with open(path, encoding="utf-8") as file:
            numbers = {"parse_float": decimal.Decimal, "parse_int": decimal.Decimal}
            return [list(json.loads(line, **numbers).values()) for line in file]
    raise SystemExit(f"nobody reads {name} here")


def check(folder):
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    kinds, wanted = expected["kinds"], expected["rows"]
    for name in expected["formats"]:
        rows = [list(row) for row in read(folder, name)]
        assert len(rows) == len(wanted), f"{name}: {len(rows)} rows, not {len(wanted)}"
        for number, (row, texts) in enumerate(zip(rows, wanted)):
            for kind, value, text in zip(kinds, row, texts, strict=True):
                if name == "csv":
                    # This reader does not tell NULL from the empty text.
                    same = value == (text or "")
                elif name == "ndjson" and kind == "Json":
                    same = value == (None if text is None else json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal))
                elif name == "xlsx" and text == "":
                    same = value in (None, "")
                else:
                    same = is_same(value, text, kind)
                assert same, f"{folder}, {name}, row {number}: {value!r} is not {text!r} ({kind})"
        print(f"{folder.name}, {name}: {len(rows)} rows")


for argument in sys.argv[1:]:
    check(pathlib.Path(argument))
