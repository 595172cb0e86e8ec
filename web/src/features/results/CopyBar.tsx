import { Button } from "../../ui/Button.tsx";
import { Spinner } from "../../ui/Spinner.tsx";
import { useApp, usePart } from "../AppContext.ts";

/** How far a copy has come that takes a while. */
export function CopyBar({ resultId }: { readonly resultId: string }) {
  const copying = usePart(useApp().copying, ({ now }) => (now?.resultId === resultId ? now : undefined));
  if (copying === undefined) return null;
  const { done, all, stop } = copying;
  return (
    <div className="bar thin runbar late" role="status" aria-label="What is copied">
      <Spinner />
      <span className="dl" role="meter" aria-label="Copied" aria-valuemin={0} aria-valuemax={all} aria-valuenow={done}>
        <i style={{ width: `${(done / all) * 100}%` }} />
      </span>
      <span className="left">
        Copying, {done.toLocaleString("en-US")} of {all.toLocaleString("en-US")} cells
      </span>
      <span className="grow" />
      <Button label="Stop" icon="stop" onClick={stop} />
    </div>
  );
}
