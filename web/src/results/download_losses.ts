import type { DownloadEnded } from "../gen/core/v1/event_pb.ts";

/** What a file that was downloaded is not, in words; undefined: it is all that the database has. */
export function downloadLosses(download: DownloadEnded): string | undefined {
  const { done } = download;
  if (done === undefined) return "It broke off, and is not whole.";
  const cells: [bigint, string][] = [
    [done.cellsCut, "cut: only the beginning of the value is there"],
    [done.cellsUndecodable, "not decoded: the bytes stand there"],
    [done.cellsLeftOut, "left null: the column's type has no form for the value"],
    [done.cellsShortened, "shortened: the format holds no more"],
  ];
  const lost = cells
    .filter(([count]) => count > 0n)
    .map(([count, what]) => `${count.toLocaleString("en")} ${count === 1n ? "cell" : "cells"} ${what}.`);
  if (done.incomplete) lost.unshift("It has not all rows that the database would have returned.");
  return lost.length === 0 ? undefined : lost.join(" ");
}
