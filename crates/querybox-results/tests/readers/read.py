"""Reads exports back and compares them with what was exported: `read.py FOLDER`.

The folder has `expected.json`, the columns' kinds and the cells' texts, and beside it the exports, each under its format's name.
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

EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc


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
    if kind == "Array":
        return "{" + ",".join("NULL" if item is None else str(item) for item in value) + "}" == text
    return False


def sheet_rows(path):
    """The rows of all sheets, below their headers."""
    # Not `read_only`: that is another reader, which trusts more.
    with open(path, "rb") as file:
        for sheet in openpyxl.load_workbook(file).worksheets:
            for row in sheet.iter_rows(min_row=2, values_only=True):
                yield [openpyxl.utils.escape.unescape(cell) if isinstance(cell, str) else cell for cell in row]


def table_rows(table):
    return zip(*(table.column(index).to_pylist() for index in range(table.num_columns)))


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


def main():
    folder = pathlib.Path(sys.argv[1])
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
                    same = value == (None if text is None else json.loads(text, parse_int=decimal.Decimal))
                elif name == "xlsx" and text == "":
                    same = value in (None, "")
                else:
                    same = is_same(value, text, kind)
                assert same, f"{name}, row {number}: {value!r} is not {text!r} ({kind})"
        print(f"{name}: {len(rows)} rows")


main()
