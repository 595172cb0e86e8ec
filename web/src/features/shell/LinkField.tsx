import { useState } from "react";
import { Button } from "../../ui/Button.tsx";
import { useApp } from "../AppContext.ts";

/** Takes a new link where the page is already, so that what is typed in it stays. */
export function LinkField() {
  const app = useApp();
  const [link, setLink] = useState("");
  const [isWrong, setWrong] = useState(false);
  return (
    <form
      className="link-field"
      onSubmit={(event) => {
        event.preventDefault();
        setWrong(!app.link.follow(link));
      }}
    >
      <p>Paste it here to go on in this page: what you typed in it is kept.</p>
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
              setWrong(false);
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
    </form>
  );
}
