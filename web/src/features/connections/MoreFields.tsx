import { type ReactNode, useState } from "react";
import { type ConnectionForm, DEADLINE, type Faults, ROWS_MAX } from "../../state/connection_form.ts";
import type { FormField } from "../../gen/plugin/v1/plugin_pb.ts";
import { Icon } from "../../ui/Icon.tsx";
import { FormRow } from "./FormRow.tsx";

interface MoreFieldsProps {
  readonly form: ConnectionForm;
  readonly faults: Faults;
  readonly onChange: (part: Partial<ConnectionForm>) => void;
  /** The driver's fields that few connections need, and how a row of one looks. */
  readonly options: readonly FormField[];
  readonly row: (field: FormField) => ReactNode;
}

/** What few connections need, folded away with what it says. */
export function MoreFields({ form, faults, onChange, options, row }: MoreFieldsProps) {
  const limits = [form.deadline === "" ? "30 s" : form.deadline === "none" ? "no deadline" : `${form.deadline} s`];
  limits.push(form.rowsMax === "" ? "all rows" : `${form.rowsMax} rows`);
  const isFaulty = faults[DEADLINE] !== undefined || faults[ROWS_MAX] !== undefined;
  const set = options.filter(({ name }) => (form.values[name] ?? form.secrets[name] ?? "") !== "");
  return (
    <div className="folds">
      {options.length > 0 && (
        <Fold
          name="Options"
          says={set.length === 0 ? "As the driver decides" : set.map(({ label }) => label).join(", ")}
          mustOpen={options.some(({ name }) => faults[name] !== undefined)}
        >
          {options.map(row)}
        </Fold>
      )}
      <Fold name="Limits" says={limits.join(", ")} mustOpen={isFaulty}>
        <FormRow label="Deadline" forId="connection-deadline" fault={faults[DEADLINE]} help="Seconds that a request may take, or none.">
          <span className="field code">
            <input
              id="connection-deadline"
              placeholder="30"
              value={form.deadline}
              {...(faults[DEADLINE] === undefined ? {} : { "aria-invalid": true })}
              onChange={(event) => onChange({ deadline: event.target.value.trim().toLowerCase() })}
            />
          </span>
        </FormRow>
        <FormRow label="Rows" forId="connection-rows" fault={faults[ROWS_MAX]} help="Rows that a statement may return. Empty: all.">
          <span className="field code">
            <input
              id="connection-rows"
              inputMode="numeric"
              placeholder="all"
              value={form.rowsMax}
              {...(faults[ROWS_MAX] === undefined ? {} : { "aria-invalid": true })}
              onChange={(event) => onChange({ rowsMax: event.target.value.replaceAll(/[\s,_]/g, "") })}
            />
          </span>
        </FormRow>
      </Fold>
      <Fold name="Start-up SQL" says={form.startupSql === "" ? "None" : (form.startupSql.split("\n")[0] ?? "")}>
        <span className="field code area">
          <textarea
            aria-label="Start-up SQL"
            rows={3}
            spellCheck={false}
            placeholder="Runs when a session opens"
            value={form.startupSql}
            onChange={(event) => onChange({ startupSql: event.target.value })}
          />
        </span>
      </Fold>
      <Fold name="Folder" says={form.folder === "" ? "None" : form.folder}>
        <span className="field">
          <input
            aria-label="Folder"
            placeholder="work/eu"
            value={form.folder}
            onChange={(event) => onChange({ folder: event.target.value })}
          />
        </span>
      </Fold>
    </div>
  );
}

interface FoldProps {
  readonly name: string;
  readonly says: string;
  readonly mustOpen?: boolean;
  readonly children: ReactNode;
}

function Fold({ name, says, mustOpen = false, children }: FoldProps) {
  const [isOpen, setOpen] = useState(false);
  const shows = isOpen || mustOpen;
  return (
    <>
      <button type="button" aria-expanded={shows} onClick={() => setOpen(!shows)}>
        <Icon name={shows ? "down" : "right"} small />
        <b>{name}</b>
        <span>{says}</span>
      </button>
      {shows && <div className="fold-in">{children}</div>}
    </>
  );
}
