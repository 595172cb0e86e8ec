import type { Connection } from "../gen/core/v1/connection_pb.ts";
import { type Relation, RelationKind, type Routine, type Schema } from "../gen/plugin/v1/catalog_pb.ts";
import type { Problem } from "../transport/problem.ts";
import { fitWithin } from "./search.ts";
import { type Catalog, type ColumnOfRelation, relationKey, type SchemaState } from "./schema.ts";

/** One row of the tree of connections and what they hold. */
export type TreeRow = { readonly key: string; readonly depth: number; readonly connection?: Connection } & (
  | { readonly kind: "folder"; readonly name: string; readonly open: boolean }
  | { readonly kind: "connection"; readonly connection: Connection; readonly open: boolean }
  | { readonly kind: "schema"; readonly schema: Schema; readonly count: number; readonly open: boolean }
  | { readonly kind: "group"; readonly group: Group; readonly count: number; readonly open: boolean }
  | { readonly kind: "relation"; readonly relation: Relation; readonly open: boolean }
  | { readonly kind: "routine"; readonly routine: Routine }
  | { readonly kind: "column"; readonly column: ColumnOfRelation; readonly relation: Relation }
  | { readonly kind: "loading"; readonly what: string }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "nothing"; readonly what: string }
);

export type Group = "tables" | "views" | "routines";

export interface TreeInput {
  readonly connections: readonly Connection[];
  readonly schemas: Pick<SchemaState, "catalogs" | "columns"> & Partial<Pick<SchemaState, "waiting">>;
  /** The keys of what was opened or closed against its nature. */
  readonly toggled: ReadonlySet<string>;
  /** What is looked for. Empty: everything is shown. */
  readonly filter: string;
}

/** The rows that are to be seen, in order. */
export function treeRows(input: TreeInput): readonly TreeRow[] {
  return new Rows(input).all();
}

/** What lies around a table in the tree, and whether each of that is open by its nature. */
export function wayTo(connection: Connection, catalog: Catalog | undefined, relation: Relation): readonly { readonly key: string; readonly isOpen: boolean }[] {
  const folder = connection.spec?.folder ?? "";
  const schemas = catalog?.schemas ?? [];
  const schema = schemas.find((content) => content.schema.name === relation.schema)?.schema;
  const group = isView(relation) ? "views" : "tables";
  return [
    ...(folder === "" ? [] : [{ key: folderKey(folder), isOpen: true }]),
    { key: connection.id, isOpen: false },
    { key: schemaKey(connection, relation.schema), isOpen: isOpenSchema(schema, schemas.length) },
    { key: groupKey(connection, relation.schema, group), isOpen: isOpenGroup(group) },
  ];
}

function folderKey(name: string): string {
  return `folder:${name}`;
}

function schemaKey({ id }: Connection, schema: string): string {
  return JSON.stringify([id, schema]);
}

function groupKey({ id }: Connection, schema: string, group: Group): string {
  return JSON.stringify([id, schema, group]);
}

function isOpenSchema(schema: Schema | undefined, count: number): boolean {
  return count === 1 || schema?.isDefault === true;
}

function isOpenGroup(group: Group): boolean {
  return group === "tables";
}

function isView({ kind }: Relation): boolean {
  return kind === RelationKind.VIEW || kind === RelationKind.MATERIALIZED_VIEW;
}

class Rows {
  private readonly rows: TreeRow[] = [];
  private readonly wanted: string;

  constructor(private readonly input: TreeInput) {
    this.wanted = input.filter.trim().toLowerCase();
  }

  all(): readonly TreeRow[] {
    let folder = "";
    let isFolderOpen = true;
    for (const connection of this.input.connections) {
      const name = connection.spec?.folder ?? "";
      if (name !== folder) {
        folder = name;
        const key = folderKey(name);
        isFolderOpen = name === "" || this.isOpen(key, true);
        if (name !== "" && this.wanted === "") this.rows.push({ key, depth: 0, kind: "folder", name, open: isFolderOpen });
      }
      if (isFolderOpen || this.wanted !== "") this.addConnection(connection, name === "" || this.wanted !== "" ? 0 : 1);
    }
    return this.rows;
  }

  private addConnection(connection: Connection, depth: number): void {
    const key = connection.id;
    const catalog = this.input.schemas.catalogs.get(key);
    const isNamed = this.matches(connection.spec?.name ?? "");
    const found = catalog?.kind === "ready" && this.wanted !== "" ? this.found(catalog.value) : undefined;
    if (this.wanted !== "" && !isNamed && found === undefined) return;
    const open = found !== undefined || this.isOpen(key, false);
    this.rows.push({ key, depth, kind: "connection", connection, open });
    if (!open || catalog === undefined) return;
    const inner = { key: `${key}:`, depth: depth + 1, connection };
    if (catalog.kind === "loading") this.rows.push({ ...inner, kind: "loading", what: this.what(key, "Reading the catalog") });
    else if (catalog.kind === "failed") this.rows.push({ ...inner, kind: "problem", problem: catalog.problem });
    else this.addCatalog(connection, found ?? catalog.value, depth + 1);
  }

  private addCatalog(connection: Connection, catalog: Catalog, depth: number): void {
    if (catalog.schemas.length === 0) {
      const key = `${connection.id}:`;
      this.rows.push({ key, depth, connection, kind: "nothing", what: "This database is empty" });
    }
    for (const { schema, relations, routines } of catalog.schemas) {
      const key = schemaKey(connection, schema.name);
      const open = this.isOpen(key, isOpenSchema(schema, catalog.schemas.length));
      const count = relations.length;
      this.rows.push({ key, depth, connection, kind: "schema", schema, count, open });
      if (!open) continue;
      const groups: readonly (readonly [Group, readonly Relation[]])[] = [
        ["tables", relations.filter((relation) => !isView(relation))],
        ["views", relations.filter(isView)],
      ];
      for (const [group, members] of groups) {
        if (members.length === 0 && (group === "views" || this.wanted !== "")) continue;
        const isGroupOpen = this.addGroup(connection, schema, group, members.length, depth + 1);
        if (isGroupOpen) for (const relation of members) this.addRelation(connection, relation, depth + 2);
      }
      if (routines.length > 0 && this.addGroup(connection, schema, "routines", routines.length, depth + 1)) {
        for (const routine of routines) {
          const routineKey = JSON.stringify([connection.id, schema.name, "routine", routine.name, routine.identityArguments]);
          this.rows.push({ key: routineKey, depth: depth + 2, connection, kind: "routine", routine });
        }
      }
    }
  }

  private addGroup(connection: Connection, schema: Schema, group: Group, count: number, depth: number): boolean {
    const key = groupKey(connection, schema.name, group);
    const open = this.isOpen(key, isOpenGroup(group));
    this.rows.push({ key, depth, connection, kind: "group", group, count, open });
    return open;
  }

  private addRelation(connection: Connection, relation: Relation, depth: number): void {
    const key = relationKey(connection.id, relation.schema, relation.name);
    const open = this.input.toggled.has(key);
    this.rows.push({ key, depth, connection, kind: "relation", relation, open });
    if (!open) return;
    const columns = this.input.schemas.columns.get(key);
    const inner = { key: `${key}:`, depth: depth + 1, connection };
    if (columns === undefined || columns.kind === "loading") this.rows.push({ ...inner, kind: "loading", what: this.what(connection.id, "Reading columns") });
    else if (columns.kind === "failed") this.rows.push({ ...inner, kind: "problem", problem: columns.problem });
    else {
      for (const column of columns.value) {
        const columnKey = `${key}:${column.column.position}`;
        this.rows.push({ key: columnKey, depth: depth + 1, connection, kind: "column", column, relation });
      }
    }
  }

  /** What is going on, or what it waits for. */
  private what(connectionId: string, reading: string): string {
    return this.input.schemas.waiting?.has(connectionId) === true ? "Waiting for what runs in its session" : reading;
  }

  /** What of a catalog is looked for, by its name or by its schema and its name. What fits best comes first. */
  private found(catalog: Catalog): Catalog | undefined {
    const schemas = catalog.schemas.flatMap(({ schema, relations, routines }) => {
      const [tables, others] = [this.fitting(schema.name, relations), this.fitting(schema.name, routines)];
      const best = Math.min(tables.best, others.best);
      return best === Number.POSITIVE_INFINITY ? [] : [{ best, content: { schema, relations: tables.named, routines: others.named } }];
    });
    return schemas.length > 0 ? { schemas: schemas.toSorted((a, b) => a.best - b.best).map(({ content }) => content) } : undefined;
  }

  private fitting<T extends { readonly name: string }>(holder: string, all: readonly T[]): { readonly named: readonly T[]; readonly best: number } {
    const fits = all.flatMap((one) => {
      const fit = fitWithin(holder, one.name, this.wanted);
      return fit === undefined ? [] : [{ one, fit }];
    });
    const sorted = fits.toSorted((a, b) => a.fit - b.fit);
    return { named: sorted.map(({ one }) => one), best: sorted[0]?.fit ?? Number.POSITIVE_INFINITY };
  }

  private matches(name: string): boolean {
    return name.toLowerCase().includes(this.wanted);
  }

  /** While something is looked for, all is open that was not closed by its nature. */
  private isOpen(key: string, byNature: boolean): boolean {
    return this.wanted !== "" ? byNature || key.startsWith("[") : this.input.toggled.has(key) !== byNature;
  }
}

/** `312`, `61.2 k`, `1.9 M`: about how many, in few characters. */
export function aboutCount(count: bigint): string {
  if (count < 10_000n) return count.toLocaleString("en-US");
  const units = ["k", "M", "G", "T"];
  let value = Number(count);
  let unit = -1;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit] ?? ""}`;
}
