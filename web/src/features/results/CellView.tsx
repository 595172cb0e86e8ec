import { useMemo, useState } from "react";
import { bytesOf, hexDump, imageType } from "../../results/bytes_text.ts";
import { bytesText } from "../../results/grid_cells.ts";
import { formatJson } from "../../results/json_text.ts";
import { jsonTree } from "../../results/json_tree.ts";
import type { CellText } from "../../results/read_cell.ts";
import type { ResultColumn } from "../../results/source.ts";
import { Segments } from "../../ui/Segments.tsx";
import { ImageView } from "./ImageView.tsx";
import { JsonTree } from "./JsonTree.tsx";

type Form = "text" | "tree" | "json" | "hex" | "image";
const NAMES: Readonly<Record<Form, string>> = { text: "Text", tree: "Tree", json: "JSON", hex: "Hex", image: "Image" };

/** A value in full, in the form that suits it or another one. */
export function CellView({ cell, column }: { readonly cell: CellText; readonly column: ResultColumn }) {
  const [chosen, setChosen] = useState<Form>();
  const [wraps, setWraps] = useState(true);
  const isWhole = cell.state === "value" && !cell.isPart;
  const tree = useMemo(() => (isWhole && /^\s*[[{]/.test(cell.text) ? jsonTree(cell.text) : undefined), [isWhole, cell.text]);
  const bytes = useMemo(() => (column.family === "binary" || cell.state === "undecodable" ? bytesOf(cell.text) : undefined), [cell, column.family]);
  const image = bytes === undefined || !isWhole ? undefined : imageType(bytes);
  if (cell.state === "null") {
    return (
      <p className="long">
        <span className="null">NULL</span>
      </p>
    );
  }
  const forms: readonly Form[] = [
    ...(image === undefined ? [] : ["image" as const]),
    ...(bytes === undefined ? [] : ["hex" as const]),
    ...(tree === undefined ? [] : ["tree" as const, "json" as const]),
    "text",
  ];
  const form = forms.find((candidate) => candidate === chosen) ?? forms[0] ?? "text";
  const shown = form === "hex" && bytes !== undefined ? hexDump(bytes) : form === "json" ? formatJson(cell.text) : cell.text;
  return (
    <>
      {(forms.length > 1 || form === "text") && (
        <div className="sub">
          {forms.length > 1 && (
            <Segments<Form> label="Form" segments={forms.map((value) => ({ value, label: NAMES[value] }))} value={form} onChange={setChosen} />
          )}
          <span className="grow" />
          {form === "text" && (
            <button type="button" className="btn" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
              Wrap
            </button>
          )}
        </div>
      )}
      {form === "tree" && tree !== undefined && <JsonTree node={tree} />}
      {form === "image" && bytes !== undefined && image !== undefined && <ImageView bytes={bytes} type={image} />}
      {form !== "tree" && form !== "image" && (
        <pre className={form === "text" && wraps ? "long wraps" : "long"} tabIndex={0}>
          {cell.state === "value" && cell.text === "" ? <span className="empty">empty</span> : shown}
        </pre>
      )}
      {(cell.isPart || cell.state !== "value") && (
        <p className="sub top">
          {cell.state === "undecodable" ? "These bytes are no text in the database's encoding." : `The first ${bytesText(cell.shownBytes)} of ${bytesText(cell.fullBytes)}.`}
        </p>
      )}
    </>
  );
}
