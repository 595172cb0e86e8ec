import { useCallback, useState } from "react";
import { columnFacts } from "../../actions/column_facts.ts";
import { exportRows } from "../../actions/export_rows.ts";
import { filterRows } from "../../actions/filter_rows.ts";
import { goToRow } from "../../actions/go_to_row.ts";
import { searchRows } from "../../actions/search_rows.ts";
import { COPY_FORMATS, type CopyFormat } from "../../results/copy.ts";
import { Button } from "../../ui/Button.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { Toolbar } from "../../ui/Toolbar.tsx";
import { useApp, useKeys } from "../AppContext.ts";
import { MoreTools } from "./MoreTools.tsx";
import type { InspectorWish } from "./use_inspector.ts";
import { ActionButton } from "../shell/ActionButton.tsx";

interface ResultToolsProps {
  readonly isFilterOpen: boolean;
  readonly inspector: InspectorWish;
  readonly onCopy: (format: CopyFormat) => void;
}

/** What can be done with rows. */
export function ResultTools({ isFilterOpen, inspector, onCopy }: ResultToolsProps) {
  const app = useApp();
  const keysOf = useKeys();
  const [menuAt, setMenuAt] = useState<{ readonly x: number; readonly y: number }>();
  const close = useCallback(() => setMenuAt(undefined), []);
  return (
    <Toolbar className="tools" label="Rows">
      <ActionButton action={searchRows} iconOnly className="hide-phone" />
      <Button label={filterRows.name} icon="filter" iconOnly keys={keysOf(filterRows)} pressed={isFilterOpen} onClick={() => filterRows.run(app)} />
      <ActionButton action={columnFacts} iconOnly className="hide-phone" />
      <ActionButton action={goToRow} iconOnly className="hide-phone" />
      <span className="hide-phone">
        <button
          type="button"
          className="btn icon"
          aria-label="Copy as"
          title="Copy the selected cells as"
          aria-haspopup="menu"
          aria-expanded={menuAt !== undefined}
          onClick={(event) => {
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            setMenuAt({ x: left, y: bottom + 4 });
          }}
        >
          <Icon name="copy" />
        </button>
      </span>
      <ActionButton action={exportRows} iconOnly />
      <Button
        label="Inspector"
        icon="pane-r"
        iconOnly
        pressed={inspector.isOpen}
        onClick={() => inspector.setOpen(!inspector.isOpen)}
      />
      <MoreTools onCopy={onCopy} />
      {menuAt !== undefined && (
        <Menu
          label="Copy as"
          {...menuAt}
          onClose={close}
          groups={[COPY_FORMATS.map(([format, name]) => ({ label: name, icon: "copy" as const, onChoose: () => onCopy(format) }))]}
        />
      )}
    </Toolbar>
  );
}
