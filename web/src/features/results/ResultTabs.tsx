import type { KeyboardEvent } from "react";
import type { ResultTab } from "../../state/run_view.ts";
import { Icon } from "../../ui/Icon.tsx";

interface ResultTabsProps {
  readonly tabs: readonly ResultTab[];
  /** The one that is shown. Absent: the messages. */
  readonly shown: ResultTab | undefined;
  readonly messages: number;
  readonly onTab: (tab: ResultTab | undefined) => void;
}

/** What came of each statement, and what was said. */
export function ResultTabs({ tabs, shown, messages, onTab }: ResultTabsProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const by: Partial<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const move = by[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const all = [...tabs, undefined];
    onTab(all[(all.indexOf(shown) + move + all.length) % all.length]);
    const strip = event.currentTarget;
    requestAnimationFrame(() => strip.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div className="subtabs" role="tablist" aria-label="Results" onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          role="tab"
          aria-selected={tab === shown}
          tabIndex={tab === shown ? 0 : -1}
          className={tab.kind === "rejected" ? "subtab err" : "subtab"}
          onClick={() => onTab(tab)}
        >
          {tab.kind === "rejected" && <Icon name="error" />}
          {tab.label}
        </button>
      ))}
      <button type="button" role="tab" aria-selected={shown === undefined} tabIndex={shown === undefined ? 0 : -1} className="subtab" onClick={() => onTab(undefined)}>
        Messages <span>{messages > 0 ? messages : ""}</span>
      </button>
    </div>
  );
}
