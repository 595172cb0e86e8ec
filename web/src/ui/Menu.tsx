import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from "react";
import { Icon, type IconName } from "./Icon.tsx";

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly keys?: string | undefined;
  readonly danger?: boolean;
  /** Whether it is the one of several that is chosen. */
  readonly checked?: boolean;
  /** Any number of them may be chosen. */
  readonly many?: boolean;
  readonly onChoose: () => void;
}

interface MenuProps {
  readonly label: string;
  /** Groups of items; a line stands between two. */
  readonly groups: readonly (readonly MenuItem[])[];
  readonly x: number;
  readonly y: number;
  readonly onClose: () => void;
}

/** A list of things to do, at a point of the page. */
export function Menu({ label, groups, x, y, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = menu.current;
    if (element === null) return;
    const opener = document.activeElement;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    element.style.top = `${Math.max(4, y + height > innerHeight - 4 ? y - height : y)}px`;
    element.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, [x, y]);
  useEffect(() => {
    const away = (event: Event) => {
      if (!(event.target instanceof Node && menu.current?.contains(event.target))) onClose();
    };
    addEventListener("pointerdown", away, true);
    addEventListener("blur", onClose);
    addEventListener("resize", onClose);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("blur", onClose);
      removeEventListener("resize", onClose);
    };
  }, [onClose]);

  const onKeyDown = (event: KeyboardEvent) => {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    const next: Partial<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    const to = next[event.key];
    if (event.key === "Escape" || event.key === "Tab") onClose();
    else if (to === undefined) return;
    else items.at(to % items.length)?.focus();
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={menu} className="pop menu" role="menu" aria-label={label} tabIndex={-1} onKeyDown={onKeyDown}>
      {groups
        .filter((group) => group.length > 0)
        .map((group, index) => (
          <div className="menu-group" role="group" key={index}>
            {group.map((item) => (
              <button
                type="button"
                key={item.label}
                role={item.checked === undefined ? "menuitem" : item.many === true ? "menuitemcheckbox" : "menuitemradio"}
                aria-checked={item.checked}
                tabIndex={-1}
                className={item.danger === true ? "mi danger" : "mi"}
                onClick={() => {
                  onClose();
                  item.onChoose();
                }}
              >
                <span className="mi-icon">
                  {item.checked === true && <Icon name="check" />}
                  {item.icon !== undefined && <Icon name={item.icon} />}
                </span>
                <span className="grow">{item.label}</span>
                {item.keys !== undefined && <kbd>{item.keys}</kbd>}
              </button>
            ))}
          </div>
        ))}
    </div>
  );
}
