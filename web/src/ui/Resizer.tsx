import type { KeyboardEvent, PointerEvent } from "react";

interface ResizerProps {
  readonly label: string;
  /** The direction in which it moves. */
  readonly axis: "x" | "y";
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** Its new value for a pointer at this place. */
  readonly valueAt: (event: PointerEvent<HTMLElement>) => number;
  readonly onChange: (value: number) => void;
  readonly className?: string;
  /** It grows towards the left, or upwards. */
  readonly isReversed?: boolean;
}

/** The edge between two panes, moved by pointer or keys. */
export function Resizer(props: ResizerProps) {
  const { axis, value, least, most, step, onChange } = props;
  const clamp = (wanted: number) => Math.min(most, Math.max(least, wanted));
  const onKeyDown = (event: KeyboardEvent) => {
    const [less, more] = axis === "x" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key !== less && event.key !== more) return;
    event.preventDefault();
    onChange(clamp(value + ((event.key === more) === (props.isReversed !== true) ? step : -step)));
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={props.label}
      aria-orientation={axis === "x" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(value * 100) / 100}
      aria-valuemin={least}
      aria-valuemax={most}
      className={`resizer ${axis} ${props.className ?? ""}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) onChange(clamp(props.valueAt(event)));
      }}
    />
  );
}
