import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";

interface ToolbarProps {
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
}

/** Buttons in a row that are one stop of the Tab key, at the one that was used last: arrows, Home and End move among them. */
export function Toolbar({ label, className, children }: ToolbarProps) {
  const root = useRef<HTMLDivElement>(null);
  const last = useRef<HTMLElement>(null);
  /** Has one button alone be the stop. Those within change by themselves, and go where there is no room. */
  const settle = () => {
    const element = root.current;
    if (element === null) return;
    const usable = usableIn(element);
    const stop = usable.find((button) => button === last.current) ?? usable[0];
    for (const button of buttonsOf(element)) button.tabIndex = button === stop ? 0 : -1;
  };
  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    settle();
    const changes = new MutationObserver(settle);
    changes.observe(element, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    const sizes = new ResizeObserver(settle);
    sizes.observe(element);
    return () => {
      changes.disconnect();
      sizes.disconnect();
    };
  }, []);
  const onFocus = ({ currentTarget, target }: FocusEvent<HTMLElement>) => {
    const button = buttonsOf(currentTarget).find((candidate) => candidate === target);
    if (button === undefined) return;
    last.current = button;
    settle();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const usable = usableIn(event.currentTarget);
    const at = usable.findIndex((button) => button === document.activeElement);
    // Its menus have keys of their own.
    if (at < 0) return;
    const moves: Partial<Record<string, number>> = { ArrowRight: (at + 1) % usable.length, ArrowLeft: at - 1, Home: 0, End: -1 };
    const to = moves[event.key];
    if (to === undefined) return;
    usable.at(to)?.focus();
    event.preventDefault();
  };
  return (
    <div ref={root} className={className} role="toolbar" aria-label={label} onFocus={onFocus} onKeyDown={onKeyDown}>
      {children}
    </div>
  );
}

function buttonsOf(toolbar: HTMLElement): readonly HTMLButtonElement[] {
  return [...toolbar.querySelectorAll("button")].filter((button) => button.closest("[role=menu]") === null);
}

function usableIn(toolbar: HTMLElement): readonly HTMLButtonElement[] {
  return buttonsOf(toolbar).filter((button) => !button.disabled && button.getClientRects().length > 0);
}
