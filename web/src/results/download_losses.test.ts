import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { DownloadEndedSchema } from "../gen/core/v1/event_pb.ts";
import { downloadLosses } from "./download_losses.ts";

test("a file that has everything is no news, and what one lacks is told", () => {
  const told = (done?: object) => downloadLosses(create(DownloadEndedSchema, { ...(done && { done }) }));
  expect(told({ rows: 3n })).toBeUndefined();
  expect(told()).toBe("It broke off, and is not whole.");
  expect(told({ incomplete: true, cellsCut: 1n, cellsLeftOut: 1200n })).toBe(
    "It has not all rows that the database would have returned. " +
      "1 cell cut: only the beginning of the value is there. " +
      "1,200 cells left null: the column's type has no form for the value.",
  );
});
