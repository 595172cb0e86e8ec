import { type ReactNode, useState } from "react";
import { downloadPath, EXPORT_FORMATS, type ExportChoice, firstChoice } from "../../state/export.ts";
import type { Problem } from "../../transport/problem.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface ExportDialogProps {
  readonly title: string;
  readonly rows: { readonly resultId: string; readonly statement: number; readonly view: number };
  /** What is exported, in words. */
  readonly says: string;
  /** The table that the rows come from, where it is known. */
  readonly table: readonly string[];
  readonly onClose: () => void;
}

const DELIMITERS: readonly (readonly [string, string])[] = [
  [",", "Comma"],
  [";", "Semicolon"],
  ["\t", "Tab"],
  ["|", "Bar"],
];

/** The window in which rows are written to a file. */
export function ExportDialog({ title, rows, says, table, onClose }: ExportDialogProps) {
  const app = useApp();
  const [choice, setChoice] = useState<ExportChoice>(() => firstChoice(title, table));
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const change = (part: Partial<ExportChoice>) => setChoice((old) => ({ ...old, ...part }));
  const format = EXPORT_FORMATS.find((known) => known.format === choice.format);
  const fault = choice.format === "sqlInsert" && choice.table.trim() === "" ? "Name the table that the rows go to" : undefined;
  const start = async () => {
    if (isBusy || fault !== undefined) return;
    setBusy(true);
    try {
      const link = document.createElement("a");
      const { path, fileName } = await downloadPath(app.core, rows, choice, new AbortController().signal);
      link.href = path;
      app.downloads.begin(fileName);
      link.download = "";
      link.click();
      onClose();
      app.toasts.say("The browser downloads the file");
    } catch (error) {
      setProblem(app.link.hear(error));
      setBusy(false);
    }
  };
  return (
    <Dialog label="Export rows" className="dialog export" onClose={onClose}>
      <form
        className="dialog-body"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <div className="head">
          <h2>Export rows</h2>
          <span className="grow dim">{says}</span>
          <Button label="Close" icon="close" iconOnly keys="Esc" onClick={onClose} />
        </div>
        <div className="export-body">
          <div className="formats" role="radiogroup" aria-label="Format">
            {EXPORT_FORMATS.map((known) => (
              <label key={known.format} className={known.format === choice.format ? "on" : ""}>
                <input type="radio" name="format" className="sr" checked={known.format === choice.format} onChange={() => change({ format: known.format })} />
                <b>{known.name}</b>
                <span>{known.says}</span>
              </label>
            ))}
          </div>
          <div className="export-options">
            <Line label="File name">
              <span className="field code">
                <input data-first aria-label="File name" value={choice.fileName} onChange={(event) => change({ fileName: event.target.value })} />
                <span className="dim">.{format?.ending}</span>
              </span>
            </Line>
            {choice.format === "csv" && <CsvOptions choice={choice} onChange={change} />}
            {choice.format === "sqlInsert" && (
              <Line label="Into table" {...(fault === undefined ? {} : { fault })}>
                <span className="field code">
                  <input aria-label="Into table" placeholder="schema.table" value={choice.table} onChange={(event) => change({ table: event.target.value })} />
                </span>
              </Line>
            )}
          </div>
        </div>
        {problem !== undefined && (
          <div className="note-bar danger" role="alert">
            <Icon name="error" />
            <div className="grow">
              <p className="tt">{problem.message}</p>
              <p>{problem.advice}</p>
            </div>
          </div>
        )}
        <div className="foot">
          <span className="grow dim">The browser shows how far it is, and can stop it.</span>
          <Button label="Cancel" big onClick={onClose} />
          <Button label="Download" look="primary" icon="export" big type="submit" disabled={isBusy || fault !== undefined} />
        </div>
      </form>
    </Dialog>
  );
}

interface OptionsProps {
  readonly choice: ExportChoice;
  readonly onChange: (part: Partial<ExportChoice>) => void;
}

function CsvOptions({ choice, onChange }: OptionsProps) {
  const flags: readonly (readonly [string, keyof ExportChoice & ("hasHeader" | "quoteAll" | "crlf" | "neutralizeFormulas")])[] = [
    ["First line has the column names", "hasHeader"],
    ["Quote every value", "quoteAll"],
    ["Windows line ends (CRLF)", "crlf"],
    ["Keep spreadsheets from running formulas", "neutralizeFormulas"],
  ];
  return (
    <>
      <Line label="Delimiter">
        <span className="field">
          <select aria-label="Delimiter" value={choice.delimiter} onChange={(event) => onChange({ delimiter: event.target.value })}>
            {DELIMITERS.map(([sign, name]) => (
              <option key={sign} value={sign}>
                {name}
              </option>
            ))}
          </select>
        </span>
      </Line>
      <Line label="NULL as">
        <span className="field code">
          <input aria-label="NULL as" placeholder="nothing" value={choice.nullText} onChange={(event) => onChange({ nullText: event.target.value })} />
        </span>
      </Line>
      {flags.map(([label, name]) => (
        <label key={name} className="check">
          <input type="checkbox" checked={choice[name]} onChange={(event) => onChange({ [name]: event.target.checked })} />
          {label}
        </label>
      ))}
    </>
  );
}

function Line({ label, fault, children }: { readonly label: string; readonly fault?: string; readonly children: ReactNode }) {
  return (
    <div className="export-line">
      <span>{label}</span>
      <div>
        {children}
        {fault !== undefined && <p className="danger">{fault}</p>}
      </div>
    </div>
  );
}
