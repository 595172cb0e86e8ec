import { type ChangeEvent, useCallback, useEffect, useRef, useState } from "react";
import type { Arrangement } from "../../results/arrangement.ts";
import { type ColumnLayout, hidden, shownAgain } from "../../results/column_layout.ts";
import { readFilter } from "../../results/filter_text.ts";
import type { ResultColumn } from "../../results/source.ts";
import type { Arranged } from "../../state/views.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { Spinner } from "../../ui/Spinner.tsx";

/** The ids of the fields, for whoever leads there: there may be two grids on the page. */
export const filterIdOf = (gridId: string) => `${gridId}-filter`;
export const searchIdOf = (gridId: string) => `${gridId}-search`;

interface FilterBarProps {
  readonly gridId: string;
  readonly columns: readonly ResultColumn[];
  readonly arranged: Arranged;
  readonly layout: ColumnLayout;
  /** Rows that the statement has by now. */
  readonly sourceRows: number;
  readonly onArrange: (arrangement: Arrangement, isAnew?: boolean) => void;
  readonly onLayout: (layout: ColumnLayout) => void;
  readonly onClose: () => void;
}

/** What is done with the rows before they are shown. */
export function FilterBar({ gridId, columns, arranged, layout, sourceRows, onArrange, onLayout, onClose }: FilterBarProps) {
  const { arrangement, shown, making, problem } = arranged;
  const [filter, filterField] = useFieldText(arrangement.filter);
  const [search, searchField] = useFieldText(arrangement.search);
  const [menuAt, setMenuAt] = useState<{ readonly x: number; readonly y: number }>();
  const closeMenu = useCallback(() => setMenuAt(undefined), []);
  const read = readFilter(filter, columns);
  const fault = read.kind === "fault" ? read.message : (problem === undefined ? undefined : [problem.message, problem.advice].filter((text) => text !== "").join(". "));
  // Esc leaves what was typed and not applied.
  const isLeft = useRef(false);
  const apply = (isAsked: boolean) => {
    const isApplied = filter.trim() === arrangement.filter && search === arrangement.search;
    // Only what failed is tried again as it is, by whoever asks for it.
    if (isLeft.current || read.kind === "fault" || (isApplied && !(isAsked && problem !== undefined))) return;
    onArrange({ ...arrangement, filter: filter.trim(), search });
  };
  const onKeyDown = (event: { readonly key: string; readonly preventDefault: () => void }) => {
    if (event.key === "Enter") apply(true);
    else if (event.key === "Escape") {
      isLeft.current = true;
      onClose();
    } else return;
    event.preventDefault();
  };
  const newer = shown === undefined ? 0 : sourceRows - shown.sourceRowCount;
  return (
    <div className="bar thin filter-bar" role="search" aria-label="Rows that are shown">
      <Icon name="filter" />
      <label className="where code">
        <b>WHERE</b>
        <input
          id={filterIdOf(gridId)}
          aria-label="Filter"
          aria-invalid={fault !== undefined}
          aria-describedby={`${gridId}-fault`}
          placeholder="total > 10 and status = 'paid'"
          autoComplete="off"
          spellCheck={false}
          {...filterField}
          onKeyDown={onKeyDown}
          onBlur={() => {
            filterField.onBlur();
            apply(false);
          }}
        />
      </label>
      <label className="field small">
        <Icon name="search" />
        <input
          id={searchIdOf(gridId)}
          type="search"
          aria-label="Search in all columns"
          placeholder="Search"
          autoComplete="off"
          spellCheck={false}
          {...searchField}
          onKeyDown={onKeyDown}
          onBlur={() => {
            searchField.onBlur();
            apply(false);
          }}
        />
      </label>
      {making !== undefined && (
        <span className="count" role="status">
          <Spinner /> {Math.floor(making * 100)} %
        </span>
      )}
      {arrangement.sort.map((key) => (
        <Chip
          key={key.column}
          text={`${columns[key.column]?.name ?? ""}, ${orderText(columns[key.column], key.isDescending)}`}
          onRemove={() => onArrange({ ...arrangement, sort: arrangement.sort.filter((other) => other !== key) })}
        />
      ))}
      {newer > 0 && making === undefined && (
        <Button label={`${newer.toLocaleString("en-US")} newer rows`} icon="refresh" onClick={() => onArrange(arrangement, true)} />
      )}
      <button
        type="button"
        className="btn fold"
        aria-pressed={arrangement.isDistinct}
        title="Show rows that are the same only once"
        onClick={() => onArrange({ ...arrangement, isDistinct: !arrangement.isDistinct })}
      >
        <Icon name="rows-once" />
        <span className="lbl">Hide duplicates</span>
      </button>
      <button
        type="button"
        className="btn fold"
        aria-haspopup="menu"
        aria-expanded={menuAt !== undefined}
        aria-label={`${layout.order.length} of ${columns.length} columns`}
        title="Columns that are shown"
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          setMenuAt({ x: left, y: bottom + 4 });
        }}
      >
        <Icon name="view" />
        <span className="lbl">
          {layout.order.length} of {columns.length} columns
        </span>
        <Icon name="down" small />
      </button>
      <Button label="Close" icon="close" iconOnly keys="Esc" onClick={onClose} />
      {menuAt !== undefined && (
        <Menu
          label="Columns that are shown"
          {...menuAt}
          onClose={closeMenu}
          groups={[
            columns.map((column, index) => {
              const isShown = layout.order.includes(index);
              return { label: column.name, checked: isShown, many: true, onChoose: () => onLayout(isShown ? hidden(layout, index) : shownAgain(layout, index)) };
            }),
          ]}
        />
      )}
      <p id={`${gridId}-fault`} className={fault === undefined ? "sr" : "pop filter-fault"} role="alert">
        {fault ?? ""}
      </p>
    </div>
  );
}

/** The text of a field that is also written elsewhere, as by a cell's menu: never while somebody types in it. */
function useFieldText(applied: string) {
  const [value, setValue] = useState(applied);
  const hasFocus = useRef(false);
  useEffect(() => {
    if (!hasFocus.current) setValue(applied);
  }, [applied]);
  const field = {
    value,
    onChange: (event: ChangeEvent<HTMLInputElement>) => setValue(event.target.value),
    onFocus: () => {
      hasFocus.current = true;
    },
    onBlur: () => {
      hasFocus.current = false;
    },
  };
  return [value, field] as const;
}

/** How a column is sorted, in the words of what is in it. */
function orderText(column: ResultColumn | undefined, isDescending: boolean): string {
  if (column?.family === "time") return isDescending ? "newest first" : "oldest first";
  return isDescending ? "descending" : "ascending";
}

function Chip({ text, onRemove }: { readonly text: string; readonly onRemove: () => void }) {
  return (
    <span className="chip">
      {text}
      <button type="button" aria-label={`Not by ${text}`} title="Remove" onClick={onRemove}>
        <Icon name="close" small />
      </button>
    </span>
  );
}
