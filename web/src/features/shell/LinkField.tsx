import { useState } from "react";
import type { Followed } from "../../transport/host.ts";
import { Button } from "../../ui/Button.tsx";
import { useApp } from "../AppContext.ts";

/** Takes a new link where the page is already, so that what is typed in it stays. */
export function LinkField() {
  const app = useApp();
  const [link, setLink] = useState("");
  const [became, setBecame] = useState<Followed>();
  const isWrong = became?.kind === "no-link";
  return (
    <form
      className="link-field"
      onSubmit={(event) => {
        event.preventDefault();
        setBecame(app.link.follow(link, false));
      }}
    >
      <p>Paste it here to go on in this page: a link to the same address keeps what you typed.</p>
      <div className="row">
        <label className="field code grow">
          <input
            aria-label="New link"
            placeholder="http://…/#code=…"
            autoComplete="off"
            spellCheck={false}
            autoFocus
            value={link}
            {...(isWrong ? { "aria-invalid": true, "aria-describedby": "link-fault" } : {})}
            onChange={(event) => {
              setLink(event.target.value);
              setBecame(undefined);
            }}
          />
        </label>
        <Button label="Open" look="primary" big type="submit" disabled={link.trim() === ""} />
      </div>
      {isWrong && (
        <p id="link-fault" className="danger" role="alert">
          This is no link with a code: copy the whole line that the command prints.
        </p>
      )}
      {became?.kind === "elsewhere" && (
        <div className="elsewhere" role="alert">
          <p>
            This link leads to <span className="code">{became.origin}</span>, and this page is of <span className="code">{location.origin}</span>. What you typed
            here stays here, and is shown there only if that server has kept it too.
          </p>
          <Button label="Go there all the same" look="line" big onClick={() => app.link.follow(link, true)} />
        </div>
      )}
    </form>
  );
}
