import { type App, toggle } from "../../state/app.ts";
import { ddlOf } from "../../state/ddl.ts";
import { valueOf } from "../../state/load.ts";
import { openTable } from "../../state/open_table.ts";
import { relationKey } from "../../state/schema.ts";
import { insertInto, relationName, selectColumns } from "../../state/sql_text.ts";
import type { Problem } from "../../transport/problem.ts";
import type { TreeRow } from "../../state/tree.ts";
import { copyText } from "../../ui/clipboard.ts";
import type { MenuItem } from "../../ui/Menu.tsx";
import type { Relation } from "../../gen/plugin/v1/catalog_pb.ts";
import { Capability } from "../../gen/plugin/v1/plugin_pb.ts";

/** What Enter or a double click on a row does. */
export function openRow(app: App, row: TreeRow): void {
  const canRun = canQuery(app);
  if (row.kind === "connection" && canRun) app.tabs.open(row.connection.id);
  else if (row.kind === "relation" && canRun && row.connection !== undefined) openTable(app, row.connection.id, row.relation);
  else if (row.kind === "problem" && row.connection !== undefined) void app.schemas.refresh(row.connection.id);
  else if ("open" in row) toggle(app, row.key);
}

function canQuery(app: App): boolean {
  return app.runs.canRun.getState().value === true;
}

/** What can be done with a row. */
export function rowMenu(app: App, row: TreeRow): readonly (readonly MenuItem[])[] {
  const { connection } = row;
  if (connection === undefined) return [];
  const { id } = connection;
  const refresh: MenuItem = { label: "Refresh", icon: "refresh", onChoose: () => void app.schemas.refresh(id) };
  const copyName = (name: string): MenuItem => ({ label: "Copy name", icon: "copy", onChoose: () => void copy(app, name) });
  switch (row.kind) {
    case "connection":
      return [
        canQuery(app) ? [{ label: "New query", icon: "prompt", onChoose: () => app.tabs.open(id) }] : [],
        [refresh, copyName(connection.spec?.name ?? "")],
        [
          { label: "Edit…", icon: "sliders", onChoose: () => app.overlay.setState({ kind: "edit-connection", connectionId: id }, true) },
          { label: "Duplicate", icon: "copy", onChoose: () => void duplicate(app, id) },
        ],
        [
          {
            label: "Remove…",
            icon: "close",
            danger: true,
            onChoose: () => app.overlay.setState({ kind: "remove-connection", connectionId: id }, true),
          },
        ],
      ];
    case "relation": {
      const { relation } = row;
      const info = app.drivers.find(connection.spec?.driverType ?? "");
      const items: MenuItem[] = [
        { label: "Open data", icon: "table", onChoose: () => openTable(app, id, relation) },
        { label: "Generate SELECT", icon: "prompt", onChoose: () => void generate(app, id, relation, "select") },
        { label: "Generate INSERT", icon: "prompt", onChoose: () => void generate(app, id, relation, "insert") },
      ];
      const copies: MenuItem[] = [copyName(qualified(app, id, relation))];
      if (info?.capabilities.includes(Capability.DDL) === true) {
        copies.push({ label: "Copy DDL", icon: "copy", onChoose: () => void copyDdl(app, id, relation) });
      }
      return [canQuery(app) ? items : [], copies, [refresh]];
    }
    case "column":
      return [[copyName(row.column.column.name)]];
    case "schema":
      return [[copyName(row.schema.name), refresh]];
    case "routine":
      return [[copyName(row.routine.name)]];
    case "problem":
      return [
        [
          refresh,
          { label: "Copy the error", icon: "copy", onChoose: () => void copyError(app, row.problem) },
          { label: "Edit the connection…", icon: "sliders", onChoose: () => app.overlay.setState({ kind: "edit-connection", connectionId: id }, true) },
        ],
      ];
    default:
      return [[refresh]];
  }
}

function schemaOf(app: App, connectionId: string, relation: Relation) {
  const catalog = app.schemas.store.getState().catalogs.get(connectionId);
  if (catalog?.kind !== "ready") return undefined;
  return catalog.value.schemas.find(({ schema }) => schema.name === relation.schema)?.schema;
}

function dialectOf(app: App, connectionId: string) {
  const dialect = app.drivers.find(app.connections.find(connectionId)?.spec?.driverType ?? "")?.dialect;
  return { quotes: dialect?.identifierQuotes ?? [], keywords: new Set(dialect?.keywords ?? []) };
}

function qualified(app: App, connectionId: string, relation: Relation): string {
  const { quotes, keywords } = dialectOf(app, connectionId);
  return relationName(relation, schemaOf(app, connectionId, relation), quotes, keywords);
}

async function generate(app: App, connectionId: string, relation: Relation, what: "select" | "insert"): Promise<void> {
  await app.schemas.openColumns(connectionId, relation.schema, relation.name);
  const key = relationKey(connectionId, relation.schema, relation.name);
  const state = app.schemas.store.getState().columns.get(key);
  const columns = state === undefined ? undefined : valueOf(state);
  if (columns === undefined) {
    app.toasts.fail(`The columns of ${relation.name} are not known`, state?.kind === "failed" ? state.problem.message : "");
    return;
  }
  const { quotes, keywords } = dialectOf(app, connectionId);
  const write = what === "select" ? selectColumns : insertInto;
  app.tabs.open(connectionId, write(relation, schemaOf(app, connectionId, relation), columns, quotes, keywords), relation.name);
}

async function copyDdl(app: App, connectionId: string, relation: Relation): Promise<void> {
  try {
    const ddl = await ddlOf(app, connectionId, { schema: relation.schema, name: relation.name });
    if (ddl === undefined) return;
    if (ddl.kind === "rejected") return app.toasts.fail(`No DDL of ${relation.name}`, ddl.rejection.message);
    const { sql, leftOut } = ddl;
    if (!(await copyText(sql))) return app.toasts.fail("The browser did not let the page copy", "");
    app.toasts.say(leftOut.length === 0 ? "The DDL is copied" : `The DDL is copied, without: ${leftOut.join(", ")}`);
  } catch (error) {
    const problem = app.link.hear(error);
    if (problem !== undefined) app.toasts.fail(`No DDL of ${relation.name}`, problem.message);
  }
}

async function copy(app: App, name: string): Promise<void> {
  if (await copyText(name)) app.toasts.say(`${name} is copied`);
  else app.toasts.fail("The browser did not let the page copy", "");
}

async function copyError(app: App, { message, reason, advice }: Problem): Promise<void> {
  if (await copyText([message, reason, advice].filter((text) => text !== "").join("\n"))) app.toasts.say("The error is copied");
  else app.toasts.fail("The browser did not let the page copy", "");
}

async function duplicate(app: App, connectionId: string): Promise<void> {
  const connection = app.connections.find(connectionId);
  if (connection === undefined) return;
  try {
    const copied = await app.connections.duplicate(connection);
    // Passwords are not copied, so that the copy is shown where one can be typed.
    if (copied !== undefined) app.overlay.setState({ kind: "edit-connection", connectionId: copied.id }, true);
  } catch (error) {
    const problem = app.link.hear(error);
    if (problem !== undefined) app.toasts.fail("The connection was not duplicated", problem.message);
  }
}
