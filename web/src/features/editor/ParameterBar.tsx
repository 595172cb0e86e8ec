import type { KeyboardEvent } from "react";

/** Values by name. `null`: NULL. */
export type ParameterValues = Readonly<Record<string, string | null>>;

interface ParameterBarProps {
  readonly names: readonly string[];
  readonly values: ParameterValues;
  readonly onChange: (values: ParameterValues) => void;
  readonly onRun: () => void;
}

/** The values that what would run needs. */
export function ParameterBar({ names, values, onChange, onRun }: ParameterBarProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    // Other keys are for the page, an Enter on a button presses it, and one that ends a composition only ends that.
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.nativeEvent.isComposing;
    if (event.key !== "Enter" || !isPlain || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    onRun();
  };
  return (
    <div className="params" role="group" aria-label="Parameters" onKeyDown={onKeyDown}>
      <span>Parameters</span>
      {names.map((name) => {
        const value = values[name];
        const shown = /^\d+$/.test(name) ? `$${name}` : `:${name}`;
        return (
          <label key={name} className="param">
            <b>{shown}</b>
            <input
              aria-label={`Value of ${shown}`}
              placeholder={value === null ? "NULL" : "value"}
              size={Math.max(8, Math.min(40, (value ?? "").length + 1))}
              autoComplete="off"
              spellCheck={false}
              data-missing={value === undefined}
              value={value ?? ""}
              onChange={(event) => onChange({ ...values, [name]: event.target.value })}
            />
            <button type="button" aria-pressed={value === null} aria-label={`${shown} is NULL`} title="Give NULL" onClick={() => onChange({ ...values, [name]: null })}>
              NULL
            </button>
          </label>
        );
      })}
    </div>
  );
}
