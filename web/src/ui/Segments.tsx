import type { ReactNode } from "react";

export interface Segment<T> {
  readonly value: T;
  readonly label: string;
  readonly sign?: ReactNode;
  /** Why it cannot be chosen. Absent: it can. */
  readonly unusable?: string | undefined;
}

interface SegmentsProps<T> {
  readonly label: string;
  readonly segments: readonly Segment<T>[];
  readonly value: T;
  readonly className?: string;
  readonly onChange: (value: T) => void;
}

/** A choice of a few, all of them to be seen. */
export function Segments<T extends string | number>({ label, segments, value, className = "", onChange }: SegmentsProps<T>) {
  const usable = segments.filter((segment) => segment.unusable === undefined);
  const step = (by: number) => {
    const at = usable.findIndex((segment) => segment.value === value);
    const next = usable.at((at + by) % usable.length);
    if (next !== undefined) onChange(next.value);
  };
  return (
    <div
      className={`seg ${className}`}
      role="radiogroup"
      aria-label={label}
      onKeyDown={(event) => {
        const by: Partial<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
        const move = by[event.key];
        if (move === undefined) return;
        event.preventDefault();
        step(move);
        const group = event.currentTarget;
        requestAnimationFrame(() => group.querySelector<HTMLElement>('[aria-checked="true"]')?.focus());
      }}
    >
      {segments.map((segment) => (
        <button
          key={segment.value}
          type="button"
          role="radio"
          aria-checked={segment.value === value}
          tabIndex={segment.value === value ? 0 : -1}
          disabled={segment.unusable !== undefined}
          title={segment.unusable}
          onClick={() => onChange(segment.value)}
        >
          {segment.sign}
          {segment.label}
        </button>
      ))}
    </div>
  );
}
