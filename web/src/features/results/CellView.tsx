import { useMemo, useState } from "react";
import { bytesOf, hexDump, imageType } from "../../results/bytes_text.ts";
import { bytesText } from "../../results/grid_cells.ts";
import { formatJson } from "../../results/json_text.ts";
import { jsonTree } from "../../results/json_tree.ts";
import type { CellText } from "../../results/read_cell.ts";
import type { ResultColumn } from "../../results/source.ts";
import { formatXml } from "../../results/xml_text.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { ImageView } from "./ImageView.tsx";
import { JsonTree } from "./JsonTree.tsx";
import { LongText } from "./LongText.tsx";

type Form = "text" | "tree" | "json" | "xml" | "hex" | "image";
const NAMES: Readonly<Record<Form, string>> = { text: "Text", tree: "Tree", json: "JSON", xml: "XML", hex: "Hex", image: "Image" };

/** A value in full, in the form that suits it or another one. */
export function CellView({ cell, column }: { readonly cell: CellText; readonly column: ResultColumn }) {
  const [chosen, setChosen] = useState<Form>();
  const [wraps, setWraps] = useState(true);
  const [isSearched, setSearched] = useState(false);
  const isWhole = cell.state === "value" && !cell.isPart;
  const tree = useMemo(() => (isWhole && /^\s*[[{]/.test(cell.text) ? jsonTree(cell.text) : undefined), [isWhole, cell.text]);
  const xml = useMemo(() => (isWhole && /^\s*</.test(cell.text) ? formatXml(cell.text) : undefined), [isWhole, cell.text]);
  const bytes = useMemo(() => (column.family === "binary" || cell.state === "undecodable" ? bytesOf(cell.text) : undefined), [cell, column.family]);
  const image = bytes === undefined || !isWhole ? undefined : imageType(bytes);
  if (cell.state === "null") {
    return (
      <p className="long">
        <span className="null">NULL</span>
      </p>
    );
  }
  const isXml = column.type === "xml";
  const forms: readonly Form[] = [
    ...(image === undefined ? [] : ["image" as const]),
    ...(bytes === undefined ? [] : ["hex" as const]),
    ...(tree === undefined ? [] : ["tree" as const, "json" as const]),
    ...(xml !== undefined && isXml ? ["xml" as const] : []),
    "text",
    // Text that happens to be markup is text at first.
    ...(xml !== undefined && !isXml ? ["xml" as const] : []),
  ];
  const form = forms.find((candidate) => candidate === chosen) ?? forms[0] ?? "text";
  const shown = form === "hex" && bytes !== undefined ? hexDump(bytes) : form === "json" ? formatJson(cell.text) : form === "xml" ? (xml ?? "") : cell.text;
  const isText = form !== "tree" && form !== "image";
  return (
    <>
      <div className="sub">
        {forms.length > 1 && (
          <Segments<Form> label="Form" segments={forms.map((value) => ({ value, label: NAMES[value] }))} value={form} onChange={setChosen} />
        )}
        <span className="grow" />
        {isText && form !== "hex" && <Button label="Wrap lines" icon="return" iconOnly pressed={wraps} onClick={() => setWraps(!wraps)} />}
        {isText && <Button label="Search in the value" icon="search" iconOnly pressed={isSearched} onClick={() => setSearched(!isSearched)} />}
      </div>
      {form === "tree" && tree !== undefined && <JsonTree node={tree} />}
      {form === "image" && bytes !== undefined && image !== undefined && <ImageView bytes={bytes} type={image} />}
      {isText && <LongText text={shown} wraps={wraps && form !== "hex"} isSearched={isSearched} onSearchEnd={() => setSearched(false)} />}
      <p className="sub top whole">
        <span className="grow">{sizeOf(cell, column.family === "binary" || cell.state === "undecodable")}</span>
        {isWhole && (
          <>
            <Icon name="check" small />
            <span className="ok">whole value</span>
          </>
        )}
      </p>
    </>
  );
}

/** How large a value is, and what of it is here. Bytes are written as two digits each behind `\x`; their size is their own. */
function sizeOf({ text, state, isPart, shownBytes, fullBytes }: CellText, isBinary: boolean): string {
  const own = (textBytes: bigint) => (isBinary && textBytes >= 2n ? (textBytes - 2n) / 2n : textBytes);
  const shown = bytesText(own(shownBytes));
  // Of a value that the driver cut, its own size is told.
  if (state === "cut") return `The first ${shown} of ${bytesText(fullBytes)}: the driver sent no more.`;
  const full = bytesText(own(fullBytes));
  if (isPart) return `The first ${shown} of ${full}. Copy takes all of it.`;
  if (state === "undecodable") return `${full} that are no text in the database's encoding.`;
  if (isBinary) return full;
  const characters = text.length - (text.match(/[\uD800-\uDBFF]/g)?.length ?? 0);
  return `${full} · ${characters === 1 ? "1 character" : `${characters.toLocaleString("en-US")} characters`}`;
}
