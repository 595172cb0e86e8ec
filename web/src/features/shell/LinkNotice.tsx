import { useEffect, useState } from "react";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { useApp, usePart } from "../AppContext.ts";

/** Says that Core is away, until it is back. What is typed stays where it is. */
export function LinkNotice() {
  const app = useApp();
  const link = usePart(app.link.store, (state) => state);
  const [now, setNow] = useState(Date.now);
  const since = link.kind === "lost" ? link.since : undefined;
  useEffect(() => {
    if (since === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [since]);
  if (since === undefined) return null;
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  return (
    <div className="pop lost" role="alert">
      <Icon name="unplug" />
      <div className="grow">
        <p className="tt">Core does not answer</p>
        <p className="dim">Looking for it again, {seconds} s so far. Nothing you typed is lost, and no statement is sent again.</p>
      </div>
      <Button label="Try now" look="line" icon="refresh" onClick={() => app.link.tryNow()} />
    </div>
  );
}
