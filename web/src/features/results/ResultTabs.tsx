import { type KeyboardEvent, useEffect, useRef } from "react";
import type { ResultTab } from "../../state/run_view.ts";
import { Icon } from "../../ui/Icon.tsx";

interface ResultTabsProps {
  readonly tabs: readonly ResultTab[];
  /** The one that is shown. Absent: the messages. */
  readonly shown: ResultTab | undefined;
  readonly messages: number;
  /** What a tab's statement is, in short. Empty: there is but one. */
  readonly sqlOf: (tab: ResultTab) => string;
  readonly onTab: (tab: ResultTab | undefined) => void;
}

/** What came of each statement, and what was said. */
export function ResultTabs({ tabs, shown, messages, sqlOf, onTab }: ResultTabsProps) {
  const strip = useRef<HTMLDivElement>(null);
  // Of many, the one that is shown is in sight.
  useEffect(() => {
    void strip.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown?.key]);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const by: Partial<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const move = by[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const all = [...tabs, undefined];
    onTab(all[(all.indexOf(shown) + move + all.length) % all.length]);
    requestAnimationFrame(() => strip.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div ref={strip} className="subtabs" role="tablist" aria-label="Results" onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          role="tab"
          aria-selected={tab === shown}
          tabIndex={tab === shown ? 0 : -1}
          title={sqlOf(tab) === "" ? undefined : sqlOf(tab)}
          className={tab.kind === "rejected" ? "subtab err" : "subtab"}
          onClick={() => onTab(tab)}
        >
          {tab.kind === "rejected" && <Icon name="error" />}
          {tab.label}
          {sqlOf(tab) !== "" && <span className="code sql" aria-hidden="true">{sqlOf(tab).slice(0, 40)}</span>}
        </button>
      ))}
      <button type="button" role="tab" aria-selected={shown === undefined} tabIndex={shown === undefined ? 0 : -1} className="subtab" onClick={() => onTab(undefined)}>
        Messages <span>{messages > 0 ? messages : ""}</span>
      </button>
    </div>
  );
}
