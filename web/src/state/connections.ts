import type { MessageInitShape } from "@bufbuild/protobuf";
import { createStore, type StoreApi } from "zustand/vanilla";
import {
  type Connection,
  type ConnectionSpec,
  type ConnectionSpecSchema,
  EnvironmentColor,
  type NewSecretSchema,
  type UpdateConnectionResponse,
} from "../gen/core/v1/connection_pb.ts";
import type { Core } from "../transport/core.ts";
import { inTurn } from "./in_turn.ts";
import type { LinkKeeper } from "./link.ts";
import type { Load } from "./load.ts";
import type { News } from "./news.ts";

/** The word for an environment's color, as the style sheets have it. */
export type Environment = "none" | "green" | "amber" | "red";

export function environmentOf(spec: ConnectionSpec | undefined): Environment {
  switch (spec?.color) {
    case EnvironmentColor.GREEN:
      return "green";
    case EnvironmentColor.AMBER:
      return "amber";
    case EnvironmentColor.RED:
      return "red";
    case EnvironmentColor.UNSPECIFIED:
    case undefined:
      return "none";
  }
}

/** News of many changes that come within this are looked at once: an import tells of each of its own. */
const NEWS_MS = 200;

/** The connections that Core keeps. What changes them says so here, and the list follows. */
export class Connections {
  readonly store: StoreApi<Load<readonly Connection[]>> = createStore<Load<readonly Connection[]>>(() => ({
    kind: "loading",
  }));

  /** Looks at what Core keeps. Looks follow each other, so that an old one never comes last. */
  readonly load: () => Promise<void> = inTurn(() => this.look());
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** How many were made here. */
  private made = 0;

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    news?: News,
  ) {
    news?.on("connections", () => this.loadSoon());
  }

  private loadSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.load();
    }, NEWS_MS);
  }

  private async look(): Promise<void> {
    const { made } = this;
    try {
      const { connections } = await this.core.connections.listConnections({});
      // One that was made meanwhile may not be in it.
      if (made !== this.made) this.loadSoon();
      else this.store.setState({ kind: "ready", value: connections }, true);
    } catch (error) {
      const problem = this.link.hear(error);
      // What was there is not gone with a look that failed.
      if (problem !== undefined && this.store.getState().kind !== "ready") this.store.setState({ kind: "failed", problem }, true);
    }
  }

  find(id: string): Connection | undefined {
    const state = this.store.getState();
    return state.kind === "ready" ? state.value.find((connection) => connection.id === id) : undefined;
  }

  async create(
    spec: MessageInitShape<typeof ConnectionSpecSchema>,
    secret: MessageInitShape<typeof NewSecretSchema> | undefined,
  ): Promise<Connection | undefined> {
    const { connection } = await this.core.connections.createConnection({ spec, ...(secret === undefined ? {} : { secret }) });
    this.made += 1;
    const state = this.store.getState();
    // It is there without a look at all others, of which an import would make one for each of its own.
    if (connection === undefined || state.kind !== "ready") await this.load();
    else if (this.find(connection.id) === undefined) this.store.setState({ kind: "ready", value: withIt(state.value, connection) }, true);
    return connection;
  }

  async update(
    old: Connection,
    spec: MessageInitShape<typeof ConnectionSpecSchema>,
  ): Promise<UpdateConnectionResponse> {
    const answer = await this.core.connections.updateConnection({ id: old.id, revision: old.revision, spec });
    await this.load();
    return answer;
  }

  /** A copy under a name of its own. Secrets are not copied. */
  async duplicate(connection: Connection): Promise<Connection | undefined> {
    const state = this.store.getState();
    const taken = state.kind === "ready" ? state.value.map((other) => other.spec?.name ?? "") : [];
    const answer = await this.core.connections.duplicateConnection({
      connection: { key: { case: "id", value: connection.id } },
      name: copyName(connection.spec?.name ?? "connection", taken),
    });
    await this.load();
    return answer.connection;
  }

  async remove(connection: Connection): Promise<void> {
    await this.core.connections.deleteConnection({ connection: { key: { case: "id", value: connection.id } } });
    await this.load();
  }
}

/** A list with one more, about where Core has it: by folder, then by name. */
function withIt(list: readonly Connection[], added: Connection): readonly Connection[] {
  const keyOf = ({ spec }: Connection) => [spec?.folder ?? "", (spec?.name ?? "").toLowerCase()] as const;
  const [folder, name] = keyOf(added);
  const at = list.findIndex((other) => {
    const [itsFolder, itsName] = keyOf(other);
    return itsFolder > folder || (itsFolder === folder && itsName > name);
  });
  return list.toSpliced(at < 0 ? list.length : at, 0, added);
}

/** `shop copy`, `shop copy 2`: the first that is free, without regard to case. */
export function copyName(name: string, taken: readonly string[]): string {
  const used = new Set(taken.map((other) => other.toLowerCase()));
  for (let number = 1; ; number++) {
    const ending = number === 1 ? " copy" : ` copy ${number}`;
    const candidate = Array.from(name).slice(0, 100 - ending.length).join("") + ending;
    if (!used.has(candidate.toLowerCase())) return candidate;
  }
}
