import { useEffect, useRef, useState } from "react";
import { type ConnectionForm, looksLikeUrl, withoutPassword, withPassword, withUrl } from "../../state/connection_form.ts";
import type { Drivers } from "../../state/drivers.ts";
import { problemOf } from "../../transport/problem.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useApp } from "../AppContext.ts";

interface UrlFieldProps {
  readonly form: ConnectionForm;
  readonly drivers: Drivers;
  readonly onFill: (form: ConnectionForm) => void;
}

type Said = { readonly kind: "filled"; readonly count: number; readonly hasPassword: boolean } | { readonly kind: "refused"; readonly why: string };

/** Time without a key press after which a URL counts as typed. */
const PAUSE_MS = 300;

/** Takes a URL or DSN and fills the form with it. */
export function UrlField({ form, drivers, onFill }: UrlFieldProps) {
  const app = useApp();
  const [url, setUrl] = useState("");
  const [said, setSaid] = useState<Said>();
  const latest = useRef(form);
  latest.current = form;
  /** What stood in the URL, until the driver that has a field for it is known. */
  const password = useRef<string>(undefined);
  const type = (text: string) => {
    const parts = withoutPassword(text);
    // One at the end is not whole yet while somebody types it.
    const isWhole = parts.password !== undefined && parts.password !== "" && (text.includes("@") || text.length - url.length > 1);
    if (isWhole) password.current = parts.password;
    setUrl(isWhole ? parts.url : text);
  };
  useEffect(() => {
    setSaid(undefined);
    if (!looksLikeUrl(url.trim())) return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await app.core.connections.parseUrl({ url: url.trim() }, { signal: stop.signal });
        const info = drivers.usable.find(({ driverType }) => driverType === answer.driverType);
        onFill(withPassword(withUrl(latest.current, answer, info), password.current, info));
        setSaid({ kind: "filled", count: answer.parameters.length, hasPassword: password.current !== undefined });
        password.current = undefined;
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
        onChange={(event) => type(event.target.value)}
      />
      <span role="status">
        {said?.kind === "filled" && (
          <span className="filled">
            <Icon name="check" small />
            {said.count === 1 ? "Filled 1 field" : `Filled ${said.count} fields`}
            {said.hasPassword && " and the password"}
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
