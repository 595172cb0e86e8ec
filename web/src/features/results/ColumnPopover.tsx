import { useEffect, useLayoutEffect, useRef } from "react";
import { wordsOf } from "../../results/columns.ts";
import type { ResultColumn } from "../../results/source.ts";
import type { ColumnPlace } from "../../state/statistics.ts";
import { Button } from "../../ui/Button.tsx";
import { ColumnFactsView } from "./ColumnFactsView.tsx";

interface ColumnPopoverProps {
  readonly column: ResultColumn;
  readonly place: ColumnPlace;
  /** Where the column's head stands. */
  readonly head: DOMRect;
  readonly isFrozen: boolean;
  readonly onSort: (isDescending: boolean) => void;
  readonly onFilter: () => void;
  readonly onFreeze: () => void;
  readonly onHide: () => void;
  /** Before or behind its neighbor. */
  readonly onMove: (by: -1 | 1) => void;
  /** More or less room, or as much as it needs. */
  readonly onStretch: (by: number | "fit") => void;
  readonly onClose: () => void;
}

const WIDTH = 272;
/** Pixels by which a key press makes a column wider. */
const STEP = 24;

/** A column: what its values are like, and what can be done with it. */
export function ColumnPopover(props: ColumnPopoverProps) {
  const { column, place, head, isFrozen, onClose } = props;
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    element.style.left = `${Math.max(4, Math.min(head.left, innerWidth - WIDTH - 4))}px`;
    element.style.top = `${head.bottom + 2}px`;
  }, [head]);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    box.current?.querySelector<HTMLElement>(".pop-acts button")?.focus();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    const away = (event: Event) => {
      if (!(event.target instanceof Node && box.current?.contains(event.target))) onClose();
    };
    addEventListener("pointerdown", away, true);
    addEventListener("resize", onClose);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("resize", onClose);
    };
  }, [onClose]);
  // Where it comes from has no room here: its head's tooltip says it.
  const words = wordsOf({ ...column, origin: undefined });
  const then = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    <div
      ref={box}
      className="pop column-pop"
      role="dialog"
      aria-label={`Column ${column.name}`}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div className="sub">
        <b>{column.name}</b>
        <span className="t" title={words.join(" · ")}>
          {[column.type, ...words].filter((text) => text !== "").join(" · ")}
        </span>
        <span className="grow" />
        <Button label="Close" icon="close" iconOnly keys="Esc" onClick={onClose} />
      </div>
      <ColumnFactsView column={column} place={place} />
      <div className="pop-acts">
        <Button label="Sort ascending" icon="asc" onClick={then(() => props.onSort(false))} />
        <Button label="Sort descending" icon="desc" onClick={then(() => props.onSort(true))} />
        <Button label="Filter…" icon="filter" onClick={then(props.onFilter)} />
        <Button label={isFrozen ? "Unfreeze" : "Freeze"} icon="pin" onClick={then(props.onFreeze)} />
        <Button label="Hide" icon="hide" onClick={then(props.onHide)} />
        <span className="pop-place">
          <Button label="Move left" icon="left" iconOnly onClick={() => props.onMove(-1)} />
          <Button label="Move right" icon="right" iconOnly onClick={() => props.onMove(1)} />
          <Button label="Narrower" icon="dash" iconOnly onClick={() => props.onStretch(-STEP)} />
          <Button label="Wider" icon="plus" iconOnly onClick={() => props.onStretch(STEP)} />
          <Button label="Fit to its values" icon="fit" iconOnly onClick={() => props.onStretch("fit")} />
        </span>
      </div>
    </div>
  );
}
