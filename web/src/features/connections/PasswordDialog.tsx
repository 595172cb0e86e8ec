import { type FormEvent, useState } from "react";
import type { Own, Question } from "../../state/leases.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { SecretInput } from "../../ui/SecretInput.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useApp } from "../AppContext.ts";

/** Asks for the password of a connection that keeps none. */
export function PasswordDialog({ question }: { readonly question: Question }) {
  const app = useApp();
  const holder = question.own?.holder;
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void app.leases.answer(password);
    setPassword("");
  };
  return (
    <Dialog label={`Password for ${question.connectionName}`} className="dialog small choices" onClose={() => app.leases.decline()}>
      <form onSubmit={submit}>
        <div className="head">
          <h2>Password for {question.connectionName}</h2>
        </div>
        <div className="form">
          <span className="field">
            <Icon name="key" />
            <SecretInput
              type="password"
              aria-label="Password"
              autoComplete="off"
              autoFocus
              value={password}
              // A field that is disabled loses the focus, and whoever mistyped would type into nothing.
              readOnly={question.busy}
              onChange={setPassword}
            />
            {question.busy && <Spinner />}
          </span>
          {question.own !== undefined && <p className="wrap">{whyOwn(question.own)}</p>}
          <p className="say wrap">It is held by the driver of one session, is kept nowhere, and is gone with the session.</p>
          {question.problem !== undefined && (
            <div className="why" role="alert">
              <p className="msg code">{question.problem.message}</p>
              <p className="meta">{[question.problem.reason, question.problem.advice].filter((text) => text !== "").join(" · ")}</p>
            </div>
          )}
        </div>
        <div className="foot">
          <span className="grow" />
          <Button label="Cancel" big onClick={() => app.leases.decline()} />
          {holder !== undefined && (
            <Button
              label={`Show ${holder.title}`}
              look="line"
              big
              onClick={() => {
                app.leases.decline();
                app.tabs.activate(holder.tabId);
              }}
            />
          )}
          <Button label={question.own === undefined ? "Connect" : "Open a session"} look="primary" type="submit" big disabled={question.busy} />
        </div>
      </form>
    </Dialog>
  );
}

/** Why a tab is to have a session beside the connection's. */
function whyOwn({ holder }: Own): string {
  if (holder === undefined) return "Type the password to open a session for this tab alone.";
  const does = holder.isRunning ? "runs on" : "has a transaction open in";
  return `${holder.title} ${does} this connection's session. Type the password to open another one for this tab.`;
}
