import { useCallback, useState } from "react";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Menu, type MenuItem } from "../../ui/Menu.tsx";

interface ChoiceProps {
  readonly label: string;
  readonly icon: IconName;
  readonly text: string;
  readonly className?: string;
  /** More than its name, for whoever points at it. */
  readonly hint?: string;
  readonly items: readonly MenuItem[];
}

/** A button that says what is chosen, and offers what else there is. */
export function Choice({ label, icon, text, className = "", hint, items }: ChoiceProps) {
  const [at, setAt] = useState<{ readonly x: number; readonly y: number }>();
  const close = useCallback(() => setAt(undefined), []);
  return (
    <>
      <button
        type="button"
        className={`btn ${className}`}
        title={hint ?? label}
        aria-label={`${label}: ${text}`}
        aria-haspopup="menu"
        aria-expanded={at !== undefined}
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          setAt({ x: left, y: bottom + 4 });
        }}
      >
        <Icon name={icon} />
        <span className="lbl">{text}</span>
        <Icon name="down" small />
      </button>
      {at !== undefined && <Menu label={label} groups={[items]} x={at.x} y={at.y} onClose={close} />}
    </>
  );
}
