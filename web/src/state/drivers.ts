import { createStore, type StoreApi } from "zustand/vanilla";
import type { SecretPlaces } from "../gen/core/v1/credential_pb.ts";
import type { PluginInfo } from "../gen/plugin/v1/plugin_pb.ts";
import type { Core } from "../transport/core.ts";
import type { LinkKeeper } from "./link.ts";
import type { Load } from "./load.ts";

/** What Core can connect to, and where it can keep passwords. */
export interface Drivers {
  /** The drivers that can be used, by their names. */
  readonly usable: readonly PluginInfo[];
  readonly places: SecretPlaces | undefined;
}

/** The drivers of Core. */
export class DriverList {
  readonly store: StoreApi<Load<Drivers>> = createStore<Load<Drivers>>(() => ({ kind: "loading" }));

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
  ) {}

  async load(): Promise<void> {
    try {
      const [{ plugins }, { places }] = await Promise.all([
        this.core.plugins.listPlugins({}),
        this.core.credentials.getSecretPlaces({}),
      ]);
      const usable = plugins
        .flatMap(({ state }) => (state.case === "usable" ? [state.value] : []))
        .toSorted((a, b) => a.name.localeCompare(b.name));
      this.store.setState({ kind: "ready", value: { usable, places } }, true);
    } catch (error) {
      const problem = this.link.hear(error);
      if (problem !== undefined) this.store.setState({ kind: "failed", problem }, true);
    }
  }

  find(driverType: string): PluginInfo | undefined {
    const state = this.store.getState();
    return state.kind === "ready" ? state.value.usable.find((info) => info.driverType === driverType) : undefined;
  }
}
