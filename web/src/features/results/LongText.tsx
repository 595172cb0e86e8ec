import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { FOUND_MAX, findText } from "../../results/find_text.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";

interface LongTextProps {
  readonly text: string;
  readonly wraps: boolean;
  readonly isSearched: boolean;
  readonly onSearchEnd: () => void;
}

/** A text in full, in which something may be looked for. */
export function LongText({ text, wraps, isSearched, onSearchEnd }: LongTextProps) {
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLPreElement>(null);
  const found = useMemo(() => (isSearched ? findText(text, wanted) : []), [isSearched, text, wanted]);
  const now = found.length === 0 ? 0 : ((at % found.length) + found.length) % found.length;
  useEffect(() => {
    // Newer browsers answer with a promise, which is nothing for React.
    void box.current?.querySelector("mark.now")?.scrollIntoView({ block: "nearest" });
  }, [found, now]);
  return (
    <>
      {isSearched && (
        <div className="sub find" role="search" aria-label="In this value">
          <label className="field small">
            <Icon name="search" />
            <input
              type="search"
              aria-label="Search in the value"
              placeholder="Search"
              autoFocus
              autoComplete="off"
              spellCheck={false}
              value={wanted}
              onChange={(event) => {
                setWanted(event.target.value);
                setAt(0);
              }}
              onKeyDown={(event) => {
                if (event.key === "Enter") setAt(now + (event.shiftKey ? -1 : 1));
                else if (event.key === "Escape") onSearchEnd();
                else return;
                event.preventDefault();
                event.stopPropagation();
              }}
            />
          </label>
          <span className="count" role="status">
            {wanted === "" ? "" : found.length === 0 ? "Not found" : `${now + 1} of ${found.length === FOUND_MAX ? `${FOUND_MAX} or more` : found.length}`}
          </span>
          <span className="grow" />
          <Button label="Close search" icon="close" iconOnly keys="Esc" onClick={onSearchEnd} />
        </div>
      )}
      <pre ref={box} className={wraps ? "long wraps" : "long"} tabIndex={0}>
        {text === "" ? <span className="empty">empty</span> : marked(text, found, now)}
      </pre>
    </>
  );
}

function marked(text: string, found: readonly (readonly [number, number])[], now: number): ReactNode {
  if (found.length === 0) return text;
  const parts: ReactNode[] = [];
  let end = 0;
  found.forEach(([from, to], index) => {
    parts.push(text.slice(end, from), <mark key={from} className={index === now ? "now" : ""}>{text.slice(from, to)}</mark>);
    end = to;
  });
  parts.push(text.slice(end));
  return parts;
}
