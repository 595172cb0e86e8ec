import type { Action } from "./action.ts";
import { cancelRun } from "./cancel_run.ts";
import { changeDensity } from "./change_density.ts";
import { columnFacts } from "./column_facts.ts";
import { closeTab } from "./close_tab.ts";
import { commit } from "./commit.ts";
import { crossTab } from "./cross_tab.ts";
import { exportRows } from "./export_rows.ts";
import { filterRows } from "./filter_rows.ts";
import { findInTree } from "./find_in_tree.ts";
import { followSystemTheme } from "./follow_system_theme.ts";
import { formatScript } from "./format_script.ts";
import { goToFault } from "./go_to_fault.ts";
import { goToRow } from "./go_to_row.ts";
import { importConnections } from "./import_connections.ts";
import { newConnection } from "./new_connection.ts";
import { newQuery } from "./new_query.ts";
import { nextRegion } from "./next_region.ts";
import { nextTab } from "./next_tab.ts";
import { openPalette } from "./open_palette.ts";
import { openSettings } from "./open_settings.ts";
import { otherPanel } from "./other_panel.ts";
import { previousRegion } from "./previous_region.ts";
import { previousTab } from "./previous_tab.ts";
import { refreshSchema } from "./refresh_schema.ts";
import { reopenTab } from "./reopen_tab.ts";
import { rollBack } from "./roll_back.ts";
import { runAll } from "./run_all.ts";
import { runScript } from "./run_script.ts";
import { searchRows } from "./search_rows.ts";
import { switchTheme } from "./switch_theme.ts";
import { toggleSidebar } from "./toggle_sidebar.ts";

/** Everything that a user can do, in the order in which the palette lists it. */
export const ACTIONS: readonly Action[] = [
  runScript,
  runAll,
  cancelRun,
  commit,
  rollBack,
  goToFault,
  formatScript,
  filterRows,
  searchRows,
  columnFacts,
  goToRow,
  exportRows,
  newQuery,
  newConnection,
  importConnections,
  findInTree,
  refreshSchema,
  closeTab,
  reopenTab,
  nextTab,
  previousTab,
  crossTab,
  otherPanel,
  nextRegion,
  previousRegion,
  toggleSidebar,
  switchTheme,
  followSystemTheme,
  changeDensity,
  openSettings,
  openPalette,
];
