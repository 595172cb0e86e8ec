import { useCallback, useState } from "react";
import type { Action } from "../../actions/action.ts";
import { columnFacts } from "../../actions/column_facts.ts";
import { goToRow } from "../../actions/go_to_row.ts";
import { searchRows } from "../../actions/search_rows.ts";
import { COPY_FORMATS, type CopyFormat } from "../../results/copy.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { useApp, useKeys } from "../AppContext.ts";

const ACTIONS: readonly Action[] = [searchRows, columnFacts, goToRow];

/** What has no room in the bar of a narrow panel. */
export function MoreTools({ onCopy }: { readonly onCopy: (format: CopyFormat) => void }) {
  const app = useApp();
  const keysOf = useKeys();
  const [at, setAt] = useState<{ readonly x: number; readonly y: number }>();
  const close = useCallback(() => setAt(undefined), []);
  return (
    <span className="only-tight">
      <button
        type="button"
        className="btn icon"
        aria-label="More for these rows"
        title="More for these rows"
        aria-haspopup="menu"
        aria-expanded={at !== undefined}
        onClick={(event) => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          setAt({ x: left, y: bottom + 4 });
        }}
      >
        <Icon name="more" />
      </button>
      {at !== undefined && (
        <Menu
          label="More for these rows"
          {...at}
          onClose={close}
          groups={[
            ACTIONS.map((action) => ({ label: action.name, icon: action.icon, keys: keysOf(action), onChoose: () => action.run(app) })),
            COPY_FORMATS.map(([format, name]) => ({ label: `Copy as ${name}`, icon: "copy" as const, onChoose: () => onCopy(format) })),
          ]}
        />
      )}
    </span>
  );
}
