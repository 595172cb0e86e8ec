import { useApp, usePart } from "../AppContext.ts";
import { Button } from "../../ui/Button.tsx";
import { Mark } from "../../ui/Icon.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { LinkField } from "./LinkField.tsx";
import { Workbench } from "./Workbench.tsx";

const WHY = {
  "no-code": "This page is opened by a link that the server prints when it starts. Each link is good once.",
  "code-spent": "This link was used before, or is older than five minutes.",
  "token-old": "The server was started again since this page was opened, and let nobody in from before.",
} as const;

/** The page for whoever is in, and the way in for others. */
export function Gate() {
  const app = useApp();
  const link = usePart(app.link.store, (state) => state);
  if (link.kind === "in" || link.kind === "lost") return <Workbench />;
  if (link.kind === "entering") return <ComingIn />;
  return (
    <main className="outside">
      <div className="hello">
        <Mark big />
        {link.kind === "out" && (
          <>
            <h1>A new link is needed</h1>
            <p>{WHY[link.why]} This command prints one:</p>
            <p className="command code">querybox link</p>
            <LinkField />
          </>
        )}
        {link.kind === "failed" && (
          <>
            <h1>{link.problem.message}</h1>
            <p role="status">
              See that the server still runs. Nothing that was typed here is lost, and this page looks for the server again every few seconds.{" "}
              {link.problem.reason}
            </p>
            <Button label="Try again" icon="refresh" look="line" big onClick={() => void app.link.enter()} />
          </>
        )}
      </div>
    </main>
  );
}

/** The page before it knows whether it is let in. */
export function ComingIn() {
  return (
    <main className="outside">
      <div className="hello">
        <Mark big />
        <p role="status">
          <Spinner /> <span className="late">Opening QueryBox</span>
        </p>
      </div>
    </main>
  );
}
