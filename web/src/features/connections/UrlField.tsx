import { useEffect, useRef, useState } from "react";
import { type ConnectionForm, looksLikeUrl } from "../../state/connection_form.ts";
import type { Drivers } from "../../state/drivers.ts";
import { cameInOneGo, enteredUrl, type FilledForm, filledByUrl, type UrlEntry } from "../../state/url_entry.ts";
import { problemOf } from "../../transport/problem.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface UrlFieldProps {
  readonly form: ConnectionForm;
  readonly drivers: Drivers;
  readonly onFill: (form: ConnectionForm) => void;
}

type Said = { readonly kind: "filled"; readonly count: number; readonly password: FilledForm["password"] } | { readonly kind: "refused"; readonly why: string };

/** Time without a key press after which a URL counts as typed. */
const PAUSE_MS = 300;
const NOTHING: UrlEntry = { kind: "ready", shown: "", password: undefined };
/** Core has said what it thinks of it. Its password is in the form, or nowhere. */
type Read = { readonly kind: "read"; readonly shown: string };

/** Takes a URL or DSN and fills the form with it. */
export function UrlField({ form, drivers, onFill }: UrlFieldProps) {
  const app = useApp();
  const [entry, setEntry] = useState<UrlEntry | Read>(NOTHING);
  const [said, setSaid] = useState<Said>();
  const latest = useRef(form);
  latest.current = form;
  /** The password that a URL brought last, while it stands in the form: it does not stay for the server of another one. */
  const brought = useRef<string>(undefined);
  useEffect(() => {
    if (brought.current !== undefined && !Object.values(form.secrets).includes(brought.current)) brought.current = undefined;
  }, [form.secrets]);
  const enter = (text: string, isWhole: boolean) => {
    const now = enteredUrl(text, isWhole);
    // Who leaves the field has changed nothing by that.
    setEntry((old) => ((old.kind === "waits") === (now.kind === "waits") && old.shown === now.shown && isWhole && text === old.shown ? old : now));
  };
  const left = () => enter(entry.shown, true);
  useEffect(() => {
    if (entry.kind === "read") return;
    setSaid(undefined);
    const url = entry.shown.trim();
    if (entry.kind === "waits" || !looksLikeUrl(url)) return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await app.core.connections.parseUrl({ url }, { signal: stop.signal });
        if (stop.signal.aborted) return;
        const info = drivers.usable.find(({ driverType }) => driverType === answer.driverType);
        const filled = filledByUrl(latest.current, answer, info, entry.password, brought.current);
        brought.current = filled.password === "filled" ? entry.password : undefined;
        onFill(filled.form);
        setSaid({ kind: "filled", count: answer.parameters.length, password: filled.password });
      } catch (error) {
        if (stop.signal.aborted) return;
        setSaid({ kind: "refused", why: problemOf(error).message });
      }
      setEntry({ kind: "read", shown: entry.shown });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [entry, app, drivers, onFill]);
  return (
    <label className="field code url">
      <Icon name="clip" />
      <input
        aria-label="Paste a URL or DSN"
        placeholder="Paste a URL or DSN"
        autoComplete="off"
        spellCheck={false}
        value={entry.shown}
        onChange={(event) => enter(event.target.value, cameInOneGo(entry.shown, event.target.value))}
        onBlur={left}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || entry.kind !== "waits") return;
          event.preventDefault();
          left();
        }}
      />
      <span role="status">
        {said?.kind === "filled" && (
          <span className="filled">
            <Icon name="check" small />
            {said.count === 1 ? "Filled 1 field" : `Filled ${said.count} fields`}
            {said.password === "filled" && " and the password"}
            {said.password === "has-no-field" && "; its password is left out, for this driver takes none"}
          </span>
        )}
        {said?.kind === "refused" && (
          <span className="filled refused" title={said.why}>
            {said.why}
          </span>
        )}
      </span>
    </label>
  );
}
