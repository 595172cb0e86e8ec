import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CellState, RowsSchema } from "../gen/core/v1/result_pb.ts";
import { Display } from "../gen/plugin/v1/plugin_pb.ts";
import { windowOfRows } from "./core_source.ts";

test("cells that are not plainly their text are told apart", () => {
  const window = windowOfRows(
    create(RowsSchema, {
      firstRow: 400n,
      rowCount: 2,
      columnCount: 2,
      texts: ["1127.40", "", "", "long"],
      marks: [
        { index: 2, state: CellState.NULL },
        { index: 3, state: CellState.CUT, fullSizeBytes: 18_400n },
      ],
      rowsSoFar: 402n,
    }),
  );
  expect(window.count).toBe(2);
  expect(window.cell(400, 0)).toEqual({ text: "1127.40", state: "value" });
  expect(window.cell(400, 1)).toEqual({ text: "", state: "value" });
  expect(window.cell(401, 0)).toEqual({ text: "", state: "null" });
  expect(window.cell(401, 1)).toEqual({ text: "long", state: "cut", fullBytes: 18_400n });
});

test("a value of another kind than its column's says so", () => {
  const window = windowOfRows(
    create(RowsSchema, { rowCount: 1, columnCount: 1, texts: ["\\x61"], marks: [{ index: 0, state: CellState.VALUE, display: Display.BYTES_HEX }], rowsSoFar: 1n }),
  );
  expect(window.cell(0, 0)).toEqual({ text: "\\x61", state: "value", family: "binary" });
});
