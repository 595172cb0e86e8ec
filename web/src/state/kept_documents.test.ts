import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { type Draft, DraftHeadSchema, DraftKind, DraftSchema, DraftService } from "../gen/core/v1/draft_pb.ts";
import { ErrorInfoSchema } from "../gen/google/rpc/error_info_pb.ts";
import { coreOver } from "../transport/core.ts";
import { ARRANGEMENT_ID } from "./kept_document.ts";
import { KeptArrangement } from "./kept_arrangement.ts";
import { KeptSettings } from "./kept_settings.ts";
import { hearLayout, LAYOUT_KEY, makeLayout } from "./layout.ts";
import { LinkKeeper } from "./link.ts";
import { Tabs } from "./tabs.ts";

beforeEach(() => void vi.useFakeTimers());

/** A Core that keeps drafts. */
function keeper() {
  const kept = new Map<string, Draft>();
  const writes: string[] = [];
  const refused: string[] = [];
  /** What answers of reads wait for on their way. */
  const way = { reads: Promise.resolve() };
  const notFound = new ConnectError("no such draft", Code.NotFound, undefined, [
    { desc: ErrorInfoSchema, value: { domain: "querybox", reason: "DRAFT_NOT_FOUND" } },
  ]);
  const headOf = ({ draftId, revision, content }: Draft) => create(DraftHeadSchema, { draftId, revision, kind: content?.kind ?? DraftKind.EDITOR });
  const transport = createRouterTransport(({ service }) => {
    service(DraftService, {
      getDraft: async ({ draftId }) => {
        const draft = kept.get(draftId);
        await way.reads;
        if (draft === undefined) throw notFound;
        return { draft };
      },
      saveDraft: ({ draftId, revision, content }) => {
        const present = kept.get(draftId);
        if ((present?.revision ?? 0n) !== revision) refused.push(content?.title ?? "");
        if ((present?.revision ?? 0n) !== revision) return { outcome: { case: "conflict", value: { present } } };
        writes.push(content?.title ?? "");
        const draft = create(DraftSchema, { draftId, revision: revision + 1n, content });
        kept.set(draftId, draft);
        return { outcome: { case: "saved", value: headOf(draft) } };
      },
    });
  });
  return { kept, writes, refused, way, transport };
}

function store() {
  const items = new Map<string, string>();
  return { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
}

let made = 0;

/** A window; a second one of the same browser has the same lasting storage, and hears of what the first writes there. */
function page({ transport }: ReturnType<typeof keeper>, { lasting = store(), passing = store(), width = 1440 } = {}) {
  const tabs = new Tabs(passing, () => `tab-${made++}`);
  const core = coreOver(transport);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const layout = makeLayout(lasting, width);
  let pageWidth = width;
  const settings = new KeptSettings(core, link, layout, lasting, () => pageWidth);
  /** Gives the window another width. */
  const widen = (to: number) => {
    pageWidth = to;
    settings.fit();
  };
  const arrangement = new KeptArrangement(core, link, tabs);
  const start = () => Promise.all([settings.start(), arrangement.start()]);
  return { tabs, layout, arrangement, start, lasting, passing, widen };
}

async function opened(...given: Parameters<typeof page>) {
  const made = page(...given);
  await made.start();
  return made;
}

const settle = () => vi.advanceTimersByTimeAsync(5_000);

test("another browser begins with the settings and the panels of the last one", async () => {
  const core = keeper();
  const first = await opened(core);
  const [a, b] = [first.tabs.open("c"), first.tabs.open("c")];
  first.tabs.cross(b.id);
  first.layout.setState({ theme: "dark", textSize: 14, keys: { "Run all": "F9" } });
  await settle();

  const second = page(core);
  // What was typed is restored before, by the drafts.
  second.tabs.restore([{ ...a }, { ...b, second: undefined }]);
  await second.start();
  expect(second.layout.getState()).toMatchObject({ theme: "dark", textSize: 14, keys: { "Run all": "F9" } });
  expect(second.tabs.store.getState()).toMatchObject({ activeId: b.id, otherId: a.id });
});

test("what was changed here and not heard by Core holds", async () => {
  const core = keeper();
  const first = await opened(core);
  first.layout.setState({ theme: "dark" });
  // The page goes before it is saved.
  const again = await opened(core, { lasting: first.lasting });
  expect(again.layout.getState().theme).toBe("dark");
  await settle();
  expect((await opened(core)).layout.getState().theme).toBe("dark");
});

test("what another browser changed is taken when nothing was changed here, also back to what is by itself", async () => {
  const core = keeper();
  const [first, second] = [await opened(core), await opened(core)];
  second.layout.setState({ density: "roomy", keys: { "Run all": "F9" } });
  await settle();
  const again = await opened(core, { lasting: first.lasting });
  expect(again.layout.getState()).toMatchObject({ density: "roomy", keys: { "Run all": "F9" } });
  second.layout.setState({ density: "normal", keys: {} });
  await settle();
  expect((await opened(core, { lasting: first.lasting })).layout.getState()).toMatchObject({ density: "normal", keys: {} });
});

test("of two windows nothing is lost that only one of them changed, and what a narrow page closes stays open in a wide one", async () => {
  const core = keeper();
  const wide = await opened(core);
  const phone = await opened(core, { width: 400 });
  expect(phone.layout.getState().sidebarOpen).toBe(false);
  phone.layout.setState({ theme: "dark", keys: { "Run all": "F9" } });
  await settle();
  wide.layout.setState({ textSize: 16, keys: { "New query": "F8" } });
  await settle();
  const all = { textSize: 16, theme: "dark", sidebarOpen: true, keys: { "Run all": "F9", "New query": "F8" } };
  expect((await opened(core)).layout.getState()).toMatchObject(all);
  // Who was told of a conflict shows what there is now.
  expect(wide.layout.getState()).toMatchObject(all);
});

test("how the parts of a window stand is its own, until another one begins", async () => {
  const core = keeper();
  const [first, second] = [await opened(core), await opened(core)];
  second.layout.setState({ inspectorWidth: 400 });
  await settle();
  first.layout.setState({ sidebarOpen: false, sidebarWidth: 300, theme: "dark" });
  await settle();
  // What Core tells of: settings are taken, and nothing of how that window stands.
  await second.start();
  expect(second.layout.getState()).toMatchObject({ sidebarOpen: true, sidebarWidth: 264, inspectorWidth: 400, theme: "dark" });
  // Nor are the parts of this one told again for it: two windows would go on so for ever.
  core.writes.length = 0;
  await settle();
  await first.start();
  await settle();
  expect(core.writes).toEqual([]);
  expect(first.layout.getState()).toMatchObject({ sidebarOpen: false, inspectorWidth: 296 });
  // One that writes a setting leaves them as they are, too.
  second.layout.setState({ density: "roomy" });
  await settle();
  const all = { sidebarOpen: false, sidebarWidth: 300, inspectorWidth: 400, theme: "dark", density: "roomy" };
  expect((await opened(core)).layout.getState()).toMatchObject(all);
  second.layout.setState({ sidebarWidth: 280 });
  await settle();
  expect((await opened(core)).layout.getState()).toMatchObject({ ...all, sidebarWidth: 280 });
});

test("a window that is only arranged otherwise leaves the settings alone", async () => {
  const core = keeper();
  const [first, second] = [await opened(core), await opened(core)];
  first.layout.setState({ theme: "dark" });
  await settle();
  core.writes.length = 0;
  second.tabs.open("c");
  await settle();
  expect(core.writes).toEqual(["Panels"]);
  expect((await opened(core)).layout.getState().theme).toBe("dark");
});

test("two windows that begin on an empty Core make one document", async () => {
  const core = keeper();
  const [first, second] = await Promise.all([opened(core), opened(core)]);
  first.layout.setState({ theme: "dark" });
  second.layout.setState({ density: "roomy" });
  await settle();
  expect(core.kept.size).toBe(1);
  expect((await opened(core)).layout.getState()).toMatchObject({ theme: "dark", density: "roomy" });
});

test("nothing is saved again after a lost link, unless it was changed here", async () => {
  const core = keeper();
  const first = await opened(core);
  first.layout.setState({ theme: "dark" });
  first.tabs.open("c");
  await settle();
  core.writes.length = 0;
  await first.start();
  await settle();
  expect(core.writes).toEqual([]);
  // Also where another one has changed something meanwhile.
  const second = await opened(core);
  second.layout.setState({ theme: "light" });
  await settle();
  core.writes.length = 0;
  await first.start();
  await settle();
  expect(core.writes).toEqual([]);
  expect(first.layout.getState().theme).toBe("light");
});

test("what was changed here while a read was on its way is not put back by its answer", async () => {
  const core = keeper();
  const first = await opened(core);
  first.layout.setState({ textSize: 14 });
  await settle();
  let arrive = () => {};
  core.way.reads = new Promise((resolve) => (arrive = resolve));
  const read = first.start();
  await settle();
  first.layout.setState({ theme: "dark", textSize: 16 });
  await settle();
  arrive();
  await read;
  await settle();
  expect(first.layout.getState()).toMatchObject({ theme: "dark", textSize: 16 });
  expect((await opened(core)).layout.getState()).toMatchObject({ theme: "dark", textSize: 16 });
});

test("a late look at the panels has no write of what was arranged meanwhile refused", async () => {
  const core = keeper();
  const only = await opened(core);
  only.tabs.open("c");
  await settle();
  let arrive: () => void = () => undefined;
  core.way.reads = new Promise((resolve) => (arrive = resolve));
  const read = only.arrangement.start();
  const last = only.tabs.open("c");
  await settle();
  arrive();
  await read;
  await settle();
  only.tabs.cross(last.id);
  await settle();
  expect(core.refused).toEqual([]);
  expect(new TextDecoder().decode(core.kept.get(ARRANGEMENT_ID)?.content?.state)).toContain(`"second":["${last.id}"]`);
});

test("a Core that has begun anew hears of all again", async () => {
  const core = keeper();
  const only = await opened(core);
  only.layout.setState({ theme: "light" });
  only.tabs.open("c");
  await settle();
  core.kept.clear();
  await only.start();
  await settle();
  expect(core.kept.size).toBe(2);
  expect(only.layout.getState().theme).toBe("light");
});

test("the windows of one browser write nothing over each other's settings, and show them at once", () => {
  const lasting = store();
  const [first, second] = [makeLayout(lasting, 1440), makeLayout(lasting, 1440)];
  first.setState({ theme: "dark", keys: { "Run all": "F9" }, sidebarWidth: 300 });
  // Before the second has heard of it.
  second.setState({ sidebarOpen: false });
  hearLayout(second, lasting.getItem(LAYOUT_KEY));
  // Sizes are each window's own until the next one begins.
  expect(second.getState()).toMatchObject({ theme: "dark", keys: { "Run all": "F9" }, sidebarWidth: 264 });
  expect(makeLayout(lasting, 1440).getState()).toMatchObject({ theme: "dark", sidebarWidth: 300, sidebarOpen: false });
});

test("a sidebar that was closed for want of width is open again where there is some, and one that people closed is not", () => {
  const { layout, widen } = page(keeper());
  const isOpen = () => layout.getState().sidebarOpen;
  widen(400);
  expect(isOpen()).toBe(false);
  widen(1440);
  expect(isOpen()).toBe(true);
  layout.setState({ sidebarOpen: false });
  widen(400);
  widen(1440);
  expect(isOpen()).toBe(false);
  // Also on a page that began narrow.
  const narrow = page(keeper(), { width: 400 });
  expect(narrow.layout.getState().sidebarOpen).toBe(false);
  narrow.widen(1440);
  expect(narrow.layout.getState().sidebarOpen).toBe(true);
});
