import type { Relation } from "../gen/plugin/v1/catalog_pb.ts";
import type { App } from "./app.ts";
import { pressedOn } from "./pressed_on.ts";
import { optionsOf, type RunChoices } from "./run_choices.ts";
import { showInTree } from "./show_in_tree.ts";
import { selectFrom } from "./sql_text.ts";

/** As many as anybody looks through; a tap away are all of them. */
const CHOICES: RunChoices = { deadline: "connection", rows: 100_000 };

/** Opens a tab with the rows of a table or a view, and shows where it stands. */
export function openTable(app: App, connectionId: string, relation: Relation): void {
  const catalog = app.schemas.store.getState().catalogs.get(connectionId);
  const schemas = catalog?.kind === "ready" ? catalog.value.schemas : [];
  const schema = schemas.find((candidate) => candidate.schema.name === relation.schema)?.schema;
  const dialect = app.drivers.find(app.connections.find(connectionId)?.spec?.driverType ?? "")?.dialect;
  showInTree(app, connectionId, relation);
  const sql = selectFrom(relation, schema, dialect?.identifierQuotes ?? [], new Set(dialect?.keywords ?? []));
  const { id } = app.tabs.open(connectionId, sql, relation.name);
  app.tabs.change(id, { choices: CHOICES });
  const tab = app.tabs.store.getState().tabs.find((candidate) => candidate.id === id);
  if (tab === undefined) return;
  const ran = app.runs.run(tab, { sql: sql.trim(), offset: 0, connectionId, ...pressedOn(app, id) }, optionsOf(CHOICES));
  void ran.then((problem) => {
    if (problem !== undefined) app.toasts.fail(problem.message, problem.advice);
  });
}
