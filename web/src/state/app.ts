import { createStore, type StoreApi } from "zustand/vanilla";
import { coreOver, type Core } from "../transport/core.ts";
import type { Host } from "../transport/host.ts";
import { holdsTransaction } from "./close_tabs.ts";
import { Connections } from "./connections.ts";
import type { Copying } from "./copying.ts";
import { Drafts } from "./drafts.ts";
import { Downloads } from "./downloads.ts";
import { DriverList } from "./drivers.ts";
import { type LayoutStore, makeLayout } from "./layout.ts";
import { Events } from "./events.ts";
import { KeptArrangement } from "./kept_arrangement.ts";
import { KeptSettings } from "./kept_settings.ts";
import { Leases } from "./leases.ts";
import { News } from "./news.ts";
import { LinkKeeper } from "./link.ts";
import { Runs } from "./runs.ts";
import { Schemas } from "./schema.ts";
import { TabSessions } from "./tab_sessions.ts";
import { keeps } from "./storage.ts";
import { type Tab, Tabs } from "./tabs.ts";
import { Toasts } from "./toasts.ts";
import { Views } from "./views.ts";
import { FRONT_END_KEY } from "./window_copy.ts";

/** What lies over the page, if anything does. */
export type Overlay =
  | { readonly kind: "none" }
  | { readonly kind: "palette" }
  | { readonly kind: "settings" }
  | { readonly kind: "new-connection" }
  | { readonly kind: "import" }
  | { readonly kind: "close-tabs"; readonly tabIds: readonly string[] }
  | { readonly kind: "give-up-session"; readonly tabId: string }
  | { readonly kind: "edit-connection"; readonly connectionId: string }
  | { readonly kind: "remove-connection"; readonly connectionId: string };

/** Words for what is selected, as a line has room for them, and with all digits. */
export interface Selected {
  readonly text: string;
  readonly exact: string;
}

/** Everything that the page knows, and whom it asks. */
export interface App {
  readonly core: Core;
  readonly link: LinkKeeper;
  readonly connections: Connections;
  readonly drafts: Drafts;
  readonly downloads: Downloads;
  readonly drivers: DriverList;
  readonly leases: Leases;
  readonly news: News;
  readonly events: Events;
  readonly runs: Runs;
  readonly sessions: TabSessions;
  readonly schemas: Schemas;
  readonly tabs: Tabs;
  readonly toasts: Toasts;
  readonly views: Views;
  /** What is selected in the grid that is shown, in words. */
  readonly selected: StoreApi<Selected>;
  /** What is on its way to the clipboard. */
  readonly copying: StoreApi<{ readonly now: Copying | undefined }>;
  readonly layout: LayoutStore;
  readonly keptArrangement: KeptArrangement;
  readonly keptSettings: KeptSettings;
  readonly overlay: StoreApi<Overlay>;
  /** What is open in the tree against its nature. */
  readonly toggled: StoreApi<ReadonlySet<string>>;
  /** The row that the tree is to mark, and has not got yet. */
  readonly shown: StoreApi<{ readonly key: string | undefined }>;
}

export interface Places {
  /** Outlives the page. */
  readonly lasting: Pick<Storage, "getItem" | "setItem">;
  /** Goes with the browser's tab. */
  readonly passing: Pick<Storage, "getItem" | "setItem">;
  readonly pageWidth: () => number;
}

export function makeApp(host: Host, places: Places): App {
  const core = coreOver(host.transport);
  const link = new LinkKeeper(host);
  const news = new News();
  const connections = new Connections(core, link, news);
  const drivers = new DriverList(core, link);
  const frontEndId = frontEndOf(places.passing);
  const leases = new Leases(core, link, connections, drivers, frontEndId);
  const layout = makeLayout(places.lasting, places.pageWidth());
  const tabs = new Tabs(places.passing, () => crypto.randomUUID());
  const views = new Views(core, link);
  const toasts = new Toasts();
  const sessions = new TabSessions(core, link, leases, tabs, frontEndId);
  const runs = new Runs(core, link, sessions, leases, tabs, frontEndId);
  sessions.onStay(({ title }, isGone) =>
    toasts.fail(`The connection of ${title} was ${isGone ? "removed" : "changed"} elsewhere`, "This tab still works in the old place until you commit or roll back."),
  );
  runs.onDrop((resultId) => views.forget(resultId));
  tabs.store.subscribe((now, before) => {
    // A closed tab wants its result no more, and what still runs there is stopped.
    for (const tab of before.tabs) if (!now.tabs.some(({ id }) => id === tab.id)) closed(tab);
  });
  const downloads = new Downloads();
  const lookAtAll = () => {
    downloads.miss((name) => toasts.fail(`${name} may not be whole`, "Nothing was heard of its download since this page lost touch with Core. If it is over, look at the file, or export the rows again."));
    runs.hearAll();
    void sessions.find(connections, false);
    news.hearAll();
  };
  const closed = (tab: Tab) => {
    void sessions.close(tab.id, runs.forget(tab)).then((isLost) => {
      if (isLost) toasts.say(`The transaction of ${tab.title} was rolled back`);
    });
  };
  return {
    core,
    link,
    connections,
    drafts: new Drafts(core, link, tabs, toasts, places.passing, () => crypto.randomUUID(), news),
    downloads,
    drivers,
    leases,
    news,
    events: new Events(core, link, { runs, views, sessions, toasts, news, downloads, lookAtAll }, frontEndId),
    runs,
    sessions,
    schemas: new Schemas(core, link, leases),
    tabs,
    toasts,
    views,
    selected: createStore<Selected>(() => ({ text: "", exact: "" })),
    copying: createStore<{ readonly now: Copying | undefined }>(() => ({ now: undefined })),
    layout,
    keptArrangement: new KeptArrangement(core, link, tabs),
    keptSettings: new KeptSettings(core, link, layout, places.lasting, places.pageWidth, news),
    overlay: createStore<Overlay>(() => ({ kind: "none" })),
    toggled: createStore<ReadonlySet<string>>(() => new Set()),
    shown: createStore<{ readonly key: string | undefined }>(() => ({ key: undefined })),
  };
}

function frontEndOf(storage: Places["passing"]): string {
  const kept = storage.getItem(FRONT_END_KEY) ?? crypto.randomUUID();
  keeps(storage, FRONT_END_KEY, kept);
  return kept;
}

/** Comes in, and asks for what every page shows. */
export async function start(app: App): Promise<void> {
  // What was typed comes before anything is offered that would open more.
  const typed = async () => {
    await app.drafts.start();
    app.runs.hearAll();
    await app.runs.probe();
  };
  // Tabs that are still to come cannot be arranged, and nobody knows of their sessions: they may come late.
  let areThere = false;
  app.drafts.onBegin(async () => {
    areThere = true;
    void app.sessions.find(app.connections, false);
    await app.keptArrangement.start();
  });
  // The page has its sessions again as soon as it knows its connections and its tabs, whatever else is still on its way.
  const load = (isNew: boolean) => {
    const connections = app.connections.load().then(() => app.sessions.find(app.connections, isNew));
    return Promise.all([connections, app.drivers.load(), app.keptSettings.start(), typed()]);
  };
  app.link.onReturn(() => {
    if (areThere) void app.keptArrangement.start();
    void load(false);
    app.runs.hearAll();
    app.schemas.retry();
  });
  await app.link.enter();
  await app.link.whenIn();
  void app.events.listen();
  app.runs.hearAll();
  await load(true);
}

/**
 * Whether something is lost with the page that people would want to keep: a transaction, or what is typed and nobody else has.
 * `comesInAnew`: the page begins again by a new link. What is typed stays then, and of a Core that lets nobody in, nothing else is left.
 */
export function holdsPage(app: Pick<App, "tabs" | "sessions" | "runs" | "drafts" | "link">, comesInAnew = false): boolean {
  const isLost = app.tabs.isFull.getState().value && app.drafts.lacksSome;
  if (comesInAnew && app.link.store.getState().kind === "out") return isLost;
  return isLost || app.drafts.holdsPage() || app.tabs.store.getState().tabs.some(({ id }) => holdsTransaction(app, id));
}

/** Opens what is closed in the tree, and closes what is open. */
export function toggle(app: App, key: string): void {
  const toggled = new Set(app.toggled.getState());
  if (!toggled.delete(key)) toggled.add(key);
  app.toggled.setState(toggled, true);
}
