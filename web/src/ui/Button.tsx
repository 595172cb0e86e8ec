import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon.tsx";

interface ButtonProps {
  readonly label: string;
  readonly icon?: IconName;
  /** `primary` is the one filled button of its surface. */
  readonly look?: "plain" | "line" | "primary" | "danger";
  readonly big?: boolean;
  /** Shows the icon alone; the label is its tooltip. */
  readonly iconOnly?: boolean;
  /** In the platform's signs. */
  readonly keys?: string | undefined;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly className?: string;
  readonly type?: "button" | "submit";
  readonly onClick?: () => void;
  readonly children?: ReactNode;
}

/** A button of a bar or a dialog. */
export function Button(props: ButtonProps) {
  const { label, icon, look = "plain", keys, iconOnly = false } = props;
  const classes = ["btn", look === "plain" ? "" : look, props.big === true ? "big" : "", iconOnly ? "icon" : "", props.className ?? ""];
  return (
    <button
      type={props.type ?? "button"}
      className={classes.filter((name) => name !== "").join(" ")}
      title={keys === undefined ? label : `${label}  ${keys}`}
      aria-label={iconOnly ? label : undefined}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {icon !== undefined && <Icon name={icon} />}
      {!iconOnly && <span className="lbl">{label}</span>}
      {!iconOnly && keys !== undefined && <kbd aria-hidden="true">{keys}</kbd>}
      {props.children}
    </button>
  );
}
