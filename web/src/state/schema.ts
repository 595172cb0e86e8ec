import { createStore, type StoreApi } from "zustand/vanilla";
import {
  type Key,
  KeyKind,
  type Relation,
  type RelationColumn,
  type Routine,
  type Schema,
  type SchemaObject,
  SchemaObjectKind,
} from "../gen/plugin/v1/catalog_pb.ts";
import type { Core } from "../transport/core.ts";
import { type Problem, problemOfRejection } from "../transport/problem.ts";
import type { Leases, Place } from "./leases.ts";
import type { LinkKeeper } from "./link.ts";
import type { Load } from "./load.ts";
import { whenFree } from "./when_free.ts";

/** A session in which something runs for long is asked for the catalog no more often than this. */
const PAUSE_MAX_MS = 4_000;

/** What a database holds, as far as the tree shows it. */
export interface Catalog {
  readonly schemas: readonly SchemaContent[];
}

export interface SchemaContent {
  readonly schema: Schema;
  readonly relations: readonly Relation[];
  readonly routines: readonly Routine[];
}

/** A column with what its relation's keys say of it. */
export interface ColumnOfRelation {
  readonly column: RelationColumn;
  readonly isPrimary: boolean;
  /** What it points to. Empty: nothing. */
  readonly references: string;
}

export interface SchemaState {
  /** By connection. */
  readonly catalogs: ReadonlyMap<string, Load<Catalog>>;
  /** By the key of `relationKey`. */
  readonly columns: ReadonlyMap<string, Load<readonly ColumnOfRelation[]>>;
  /** The connections whose catalogs are read again, while the old ones are shown. */
  readonly refreshing: ReadonlySet<string>;
  /** The connections whose one session is in use: their catalogs are read once it is free. */
  readonly waiting: ReadonlySet<string>;
}

export function relationKey(connectionId: string, schema: string, relation: string): string {
  return JSON.stringify([connectionId, schema, relation]);
}

/** What is known of the databases behind connections. Nothing is asked for before it is looked at. */
export class Schemas {
  readonly store: StoreApi<SchemaState> = createStore<SchemaState>(() => ({ catalogs: new Map(), columns: new Map(), refreshing: new Set(), waiting: new Set() }));
  /** What was asked for last, by connection: an answer to an older question is of a place that it may not lead to any more. */
  private readonly asked = new Map<string, object>();
  /** Columns that are on their way, by the key of `relationKey`. */
  private readonly reading = new Map<string, Promise<void>>();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly leases: Leases,
  ) {
    // Nothing of the old place is shown under the new name.
    leases.onMove(({ connectionId }) => {
      const wasRead = this.store.getState().catalogs.has(connectionId);
      this.forget(connectionId);
      // Whoever saves a connection here has it read with what was typed in its form.
      if (wasRead) this.leaveUnasked(connectionId);
      return [];
    });
    leases.onOpen((connectionId) => {
      const catalog = this.store.getState().catalogs.get(connectionId);
      if (catalog?.kind === "failed" && catalog.problem === NOT_ASKED) void this.refresh(connectionId);
    });
  }

  /** Asks for the catalog of a connection unless it is there or on its way. */
  async open(connectionId: string): Promise<void> {
    const state = this.store.getState().catalogs.get(connectionId);
    if (state?.kind === "loading" || state?.kind === "ready") return;
    await this.refresh(connectionId);
  }

  /** Asks for a catalog anew. What is there stays until the answer has come. */
  async refresh(connectionId: string): Promise<void> {
    const turn = {};
    this.asked.set(connectionId, turn);
    const before = this.store.getState().catalogs.get(connectionId);
    if (before?.kind === "ready") this.setRefreshing(connectionId, true);
    else this.setCatalog(connectionId, { kind: "loading" });
    const kinds = [SchemaObjectKind.SCHEMA, SchemaObjectKind.RELATION, SchemaObjectKind.ROUTINE];
    const catalog = await this.read(connectionId, { kinds }, catalogOf, () => this.asked.get(connectionId) === turn);
    if (this.asked.get(connectionId) !== turn) return;
    this.asked.delete(connectionId);
    // Columns are read again by whoever looks at them.
    this.store.setState({ columns: this.columnsBut(connectionId) });
    this.setCatalog(connectionId, catalog);
    this.setRefreshing(connectionId, false);
  }

  /** Asks for the columns of a relation unless they are there, and waits for those that are on their way. */
  async openColumns(connectionId: string, schema: string, relation: string): Promise<void> {
    const key = relationKey(connectionId, schema, relation);
    const state = this.store.getState().columns.get(key);
    if (state?.kind === "ready") return;
    if (state?.kind !== "loading") this.reading.set(key, this.readColumns(key, connectionId, schema, relation));
    await this.reading.get(key);
  }

  private async readColumns(key: string, connectionId: string, schema: string, relation: string): Promise<void> {
    const loading = { kind: "loading" } as const;
    this.setColumns(key, loading);
    const kinds = [SchemaObjectKind.COLUMN, SchemaObjectKind.KEY];
    const asked = { schemas: [schema], name: relation, kinds };
    const columns = await this.read(connectionId, asked, (objects) => columnsOf(objects, schema, relation), () => this.store.getState().columns.get(key) === loading);
    // Those of a catalog that was dropped meanwhile are not asked for any more.
    if (this.store.getState().columns.get(key) !== loading) return;
    this.setColumns(key, columns);
    this.reading.delete(key);
  }

  /** Asks Core again for the catalogs that could not be read. */
  retry(): void {
    for (const [connectionId, catalog] of this.store.getState().catalogs) {
      if (catalog.kind === "failed" && !this.leaveUnasked(connectionId)) void this.refresh(connectionId);
    }
  }

  /** Leaves a catalog to whoever looks for it, where somebody would have to be asked for a password who wants nothing of it now. */
  private leaveUnasked(connectionId: string): boolean {
    if (!this.leases.asks(connectionId)) return false;
    this.setCatalog(connectionId, { kind: "failed", problem: NOT_ASKED });
    return true;
  }

  forget(connectionId: string): void {
    this.asked.delete(connectionId);
    const catalogs = new Map(this.store.getState().catalogs);
    catalogs.delete(connectionId);
    this.store.setState({ catalogs, columns: this.columnsBut(connectionId) });
    this.setRefreshing(connectionId, false);
  }

  private columnsBut(connectionId: string): SchemaState["columns"] {
    const prefix = JSON.stringify([connectionId]).slice(0, -1);
    return new Map([...this.store.getState().columns].filter(([key]) => !key.startsWith(prefix)));
  }

  private setRefreshing(connectionId: string, isRefreshing: boolean): void {
    const refreshing = new Set(this.store.getState().refreshing);
    if (refreshing.has(connectionId) === isRefreshing) return;
    if (isRefreshing) refreshing.add(connectionId);
    else refreshing.delete(connectionId);
    this.store.setState({ refreshing });
  }

  private async read<T>(
    connectionId: string,
    asked: Asked,
    read: (objects: readonly SchemaObject[]) => T,
    isWanted: () => boolean,
  ): Promise<Load<T>> {
    let where: Place | undefined;
    const ask = async (): Promise<Load<T>> => {
      const objects: SchemaObject[] = [];
      where = await this.leases.place(connectionId);
      if (where === undefined) return { kind: "failed", problem: NOT_ASKED };
      for await (const { part } of this.core.schema.getSchema({ ...asked, ...where })) {
        const rejection = part.case === "rejection" ? part.value : part.value?.rejection;
        if (rejection !== undefined) return { kind: "failed", problem: problemOfRejection(rejection) };
        if (part.case === "objects") objects.push(...part.value.objects);
      }
      return { kind: "ready", value: read(objects) };
    };
    try {
      return await whenFree(ask, { isWanted, onWait: () => this.setWaiting(connectionId, true), pauseMaxMs: PAUSE_MAX_MS });
    } catch (error) {
      if (where !== undefined) this.leases.hear(where.sessionId, error);
      return { kind: "failed", problem: this.link.hear(error) ?? NOT_ASKED };
    } finally {
      this.setWaiting(connectionId, false);
    }
  }

  private setWaiting(connectionId: string, isWaiting: boolean): void {
    const waiting = new Set(this.store.getState().waiting);
    if (waiting.has(connectionId) === isWaiting) return;
    if (isWaiting) waiting.add(connectionId);
    else waiting.delete(connectionId);
    this.store.setState({ waiting });
  }

  private setCatalog(connectionId: string, catalog: Load<Catalog>): void {
    this.store.setState({ catalogs: new Map(this.store.getState().catalogs).set(connectionId, catalog) });
  }

  private setColumns(key: string, columns: Load<readonly ColumnOfRelation[]>): void {
    this.store.setState({ columns: new Map(this.store.getState().columns).set(key, columns) });
  }
}

interface Asked {
  readonly kinds: SchemaObjectKind[];
  readonly schemas?: string[];
  readonly name?: string;
}

const NOT_ASKED: Problem = { message: "Not connected: click to connect", reason: "", advice: "" };

export function catalogOf(objects: readonly SchemaObject[]): Catalog {
  const schemas = new Map<string, { schema: Schema; relations: Relation[]; routines: Routine[] }>();
  for (const { object } of objects) {
    if (object.case === "schema") schemas.set(object.value.name, { schema: object.value, relations: [], routines: [] });
    // A parent comes before what belongs to it.
    else if (object.case === "relation") schemas.get(object.value.schema)?.relations.push(object.value);
    else if (object.case === "routine") schemas.get(object.value.schema)?.routines.push(object.value);
  }
  return { schemas: [...schemas.values()] };
}

export function columnsOf(
  objects: readonly SchemaObject[],
  schema: string,
  relation: string,
): readonly ColumnOfRelation[] {
  const isOurs = (part: { schema: string; relation: string }) => part.schema === schema && part.relation === relation;
  const keys: Key[] = objects.flatMap(({ object }) =>
    object.case === "key" && isOurs(object.value) && object.value.kind === KeyKind.FOREIGN ? [object.value] : [],
  );
  return objects.flatMap(({ object }) => {
    if (object.case !== "column" || !isOurs(object.value)) return [];
    const column = object.value;
    const key = keys.find((candidate) => candidate.columns.includes(column.name));
    const target = key?.referencedColumns[key.columns.indexOf(column.name)] ?? "";
    const references = key === undefined ? "" : `${key.referencedRelation}.${target}`;
    return [{ column, isPrimary: column.primaryKeyPosition > 0, references }];
  });
}
