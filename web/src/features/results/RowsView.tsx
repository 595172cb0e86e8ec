import { type Ref, useCallback, useState } from "react";
import type { StatementResult } from "../../gen/core/v1/result_pb.ts";
import type { Arrangement } from "../../results/arrangement.ts";
import { cycledSort } from "../../results/arrangement.ts";
import { type ColumnLayout, frozenAt, hidden } from "../../results/column_layout.ts";
import { testText, withTest } from "../../results/filter_text.ts";
import { COPY_FORMATS, type SqlForm } from "../../results/copy.ts";
import type { Place } from "../../results/selection.ts";
import { readCell } from "../../results/read_cell.ts";
import type { FirstPage } from "../../state/runs.ts";
import type { Arranged } from "../../state/views.ts";
import { Menu } from "../../ui/Menu.tsx";
import { useApp } from "../AppContext.ts";
import { ColumnPopover } from "./ColumnPopover.tsx";
import { FilterBar, filterIdOf } from "./FilterBar.tsx";
import { Inspector } from "./Inspector.tsx";
import { NoRows } from "./NoRows.tsx";
import { type GridHandle, ResultGrid } from "./ResultGrid.tsx";
import { useColumns } from "./use_columns.ts";
import type { InspectorWish } from "./use_inspector.ts";

interface RowsViewProps {
  readonly id: string;
  readonly label: string;
  readonly resultId: string;
  readonly statement: StatementResult;
  readonly page: FirstPage | undefined;
  readonly arranged: Arranged;
  readonly form: SqlForm;
  readonly layout: ColumnLayout;
  readonly isFilterOpen: boolean;
  readonly inspector: InspectorWish;
  readonly grid: Ref<GridHandle> & { readonly current: GridHandle | null };
  readonly onFilterOpen: (isOpen: boolean) => void;
  readonly onLayout: (layout: ColumnLayout) => void;
  readonly onLeave: () => void;
}

/** The rows of a statement, with what arranges them and what shows one of them whole. */
export function RowsView(props: RowsViewProps) {
  const { resultId, statement, arranged, layout, inspector, grid, onLayout } = props;
  const app = useApp();
  const [place, setPlace] = useState<Place>({ row: 0, column: 0 });
  const [head, setHead] = useState<DOMRect>();
  const [menuAt, setMenuAt] = useState<{ readonly x: number; readonly y: number }>();
  const closeHead = useCallback(() => setHead(undefined), []);
  const closeMenu = useCallback(() => setMenuAt(undefined), []);
  const columns = useColumns(statement);
  const { arrangement, shown } = arranged;
  const view = shown?.view ?? 0;
  const rowCount = shown?.rowCount ?? Number(statement.rowCount);
  const column = columns[place.column];
  const arrange = (changed: Arrangement, isAnew = false) =>
    void app.views.arrange({ resultId, statement: statement.statement }, columns, changed, isAnew);
  const filterOn = async (isKept: boolean) => {
    if (column === undefined) return;
    const at = { resultId, statement: statement.statement, view, row: BigInt(place.row), column: place.column };
    try {
      const cell = await readCell(app.core, at, new AbortController().signal, false);
      if (cell.state === "cut" || cell.state === "undecodable" || cell.isPart) {
        app.toasts.fail("No filter by this value", "It is not there as a whole.");
        return;
      }
      props.onFilterOpen(true);
      const test = testText(column, cell.state === "null" ? undefined : cell.text, isKept);
      arrange({ ...arrangement, filter: withTest(arrangement.filter, test) });
    } catch (error) {
      app.toasts.fail("No filter by this value", app.link.hear(error)?.message ?? "");
    }
  };
  const filterColumn = () => {
    props.onFilterOpen(true);
    requestAnimationFrame(() => document.getElementById(filterIdOf(props.id))?.focus());
  };
  return (
    <>
      {props.isFilterOpen && (
        <FilterBar
          gridId={props.id}
          columns={columns}
          arranged={arranged}
          layout={layout}
          sourceRows={Number(statement.rowCount)}
          onArrange={arrange}
          onLayout={onLayout}
          onClose={() => {
            props.onFilterOpen(false);
            grid.current?.focus();
          }}
        />
      )}
      <div className="results">
        <ResultGrid
          ref={grid}
          id={props.id}
          label={props.label}
          resultId={resultId}
          statement={statement}
          columns={columns}
          view={view}
          rowCount={rowCount}
          page={props.page}
          form={props.form}
          sort={arrangement.sort}
          layout={layout}
          onLayout={onLayout}
          onSort={(at, isAdded) => arrange({ ...arrangement, sort: cycledSort(arrangement.sort, at, isAdded) })}
          onPlace={setPlace}
          onColumn={setHead}
          onCells={(x, y) => setMenuAt({ x, y })}
          onOpen={() => inspector.setOpen(true)}
          onLeave={props.onLeave}
        />
        {rowCount === 0 && statement.end.case !== undefined && arranged.making === undefined && (
          <NoRows
            isFiltered={statement.rowCount > 0n}
            onClear={() => {
              arrange({ ...arrangement, filter: "", search: "" });
              grid.current?.focus();
            }}
          />
        )}
        {rowCount > 0 && inspector.isOpen && (
          <Inspector
            resultId={resultId}
            statement={statement}
            view={view}
            place={place}
            columns={columns}
            liesOver={inspector.liesOver}
            onClose={() => {
              inspector.setOpen(false);
              if (inspector.liesOver) grid.current?.focus();
            }}
          />
        )}
      </div>
      {head !== undefined && column !== undefined && (
        <ColumnPopover
          column={column}
          place={{ resultId, statement: statement.statement, view, column: place.column }}
          head={head}
          isFrozen={layout.order.indexOf(place.column) < layout.frozen}
          onSort={(isDescending) => arrange({ ...arrangement, sort: [{ column: place.column, isDescending }] })}
          onFilter={filterColumn}
          onFreeze={() => onLayout(frozenAt(layout, place.column))}
          onHide={() => onLayout(hidden(layout, place.column))}
          onMove={(by) => grid.current?.moveColumn(by)}
          onStretch={(by) => grid.current?.stretchColumn(by)}
          onClose={closeHead}
        />
      )}
      {menuAt !== undefined && (
        <Menu
          label="Selected cells"
          {...menuAt}
          onClose={closeMenu}
          groups={[
            [
              { label: "Only rows with this value", icon: "filter", onChoose: () => void filterOn(true) },
              { label: "Hide rows with this value", icon: "hide", onChoose: () => void filterOn(false) },
            ],
            COPY_FORMATS.map(([format, name]) => ({ label: `Copy as ${name}`, icon: "copy" as const, onChoose: () => grid.current?.copy(format) })),
          ]}
        />
      )}
    </>
  );
}
