/** The parts of the page in the order of the keyboard: what holds the focus, and what takes it. */
const REGIONS: readonly (readonly [string, string])[] = [
  [".side .field", "input"],
  [".tree", ""],
];
const REGIONS_AFTER: readonly (readonly [string, string])[] = [[".status", ""]];
const REGIONS_OF_PANEL: readonly (readonly [string, string])[] = [
  [".tabs", '[aria-selected="true"]'],
  ['[role=toolbar][aria-label="Query"]', 'button[tabindex="0"]'],
  [".sql-editor", ""],
  [".params", "input"],
  [".result-bar .subtabs", '[aria-selected="true"]'],
  [".tools", 'button[tabindex="0"]'],
  [".filter-bar", "input"],
  ["[role=grid]", ""],
  [".inspector > .bar", '[aria-checked="true"]'],
];

/** Moves the focus to the next part of the page, or the one before. */
export function stepRegions(step: 1 | -1): void {
  const panels = [...document.querySelectorAll<HTMLElement>(".panel")];
  const all = [
    ...REGIONS.map((region) => [document.body, ...region] as const),
    ...panels.flatMap((panel) => REGIONS_OF_PANEL.map((region) => [panel, ...region] as const)),
    ...REGIONS_AFTER.map((region) => [document.body, ...region] as const),
  ];
  const there = all.flatMap(([within, holder, taker]) => {
    const element = within.querySelector<HTMLElement>(holder);
    const target = element?.shadowRoot?.querySelector<HTMLElement>(".cm-content") ?? (taker === "" ? element : element?.querySelector<HTMLElement>(taker));
    // What is not drawn, such as a closed sidebar, is passed over.
    return element === null || target === null || target === undefined || target.getClientRects().length === 0 ? [] : [{ element, target }];
  });
  const at = there.findIndex(({ element }) => element.contains(document.activeElement));
  const next = at < 0 ? (step === 1 ? 0 : there.length - 1) : (at + step + there.length) % there.length;
  there[next]?.target.focus();
}
