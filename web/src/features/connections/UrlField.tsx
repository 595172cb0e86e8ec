import { useEffect, useRef, useState } from "react";
import { type ConnectionForm, looksLikeUrl, withUrl } from "../../state/connection_form.ts";
import type { Drivers } from "../../state/drivers.ts";
import { problemOf } from "../../transport/problem.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface UrlFieldProps {
  readonly form: ConnectionForm;
  readonly drivers: Drivers;
  readonly onFill: (form: ConnectionForm) => void;
}

type Said = { readonly kind: "filled"; readonly count: number } | { readonly kind: "refused"; readonly why: string };

/** Time without a key press after which a URL counts as typed. */
const PAUSE_MS = 300;

/** Takes a URL or DSN and fills the form with it. */
export function UrlField({ form, drivers, onFill }: UrlFieldProps) {
  const app = useApp();
  const [url, setUrl] = useState("");
  const [said, setSaid] = useState<Said>();
  const latest = useRef(form);
  latest.current = form;
  useEffect(() => {
    setSaid(undefined);
    if (!looksLikeUrl(url.trim())) return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await app.core.connections.parseUrl({ url: url.trim() }, { signal: stop.signal });
        const info = drivers.usable.find(({ driverType }) => driverType === answer.driverType);
        onFill(withUrl(latest.current, answer, info));
        setSaid({ kind: "filled", count: answer.parameters.length });
      } catch (error) {
        if (!stop.signal.aborted) setSaid({ kind: "refused", why: problemOf(error).message });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [url, app, drivers, onFill]);
  return (
    <label className="field code url">
      <Icon name="clip" />
      <input
        aria-label="Paste a URL or DSN"
        placeholder="Paste a URL or DSN"
        autoComplete="off"
        spellCheck={false}
        value={url}
        onChange={(event) => setUrl(event.target.value)}
      />
      <span role="status">
        {said?.kind === "filled" && (
          <span className="filled">
            <Icon name="check" small />
            {said.count === 1 ? "Filled 1 field" : `Filled ${said.count} fields`}
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
