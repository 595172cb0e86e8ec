import type { Relation } from "../gen/plugin/v1/catalog_pb.ts";
import type { App } from "./app.ts";
import { valueOf } from "./load.ts";
import { relationKey } from "./schema.ts";
import { wayTo } from "./tree.ts";

/** Has the tree open to a table, and mark it as soon as its row is there. The focus stays where it is. */
export function showInTree(app: Pick<App, "connections" | "schemas" | "toggled" | "shown">, connectionId: string, relation: Relation): void {
  const connection = app.connections.find(connectionId);
  if (connection === undefined) return;
  const catalog = app.schemas.store.getState().catalogs.get(connectionId);
  const toggled = new Set(app.toggled.getState());
  for (const { key, isOpen } of wayTo(connection, catalog === undefined ? undefined : valueOf(catalog), relation)) {
    if (isOpen) toggled.delete(key);
    else toggled.add(key);
  }
  app.toggled.setState(toggled, true);
  app.shown.setState({ key: relationKey(connectionId, relation.schema, relation.name) });
}
