import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { type Draft, DraftHeadSchema, DraftKind, DraftSchema, DraftService } from "../gen/core/v1/draft_pb.ts";
import { coreOver } from "../transport/core.ts";
import { KeptLayout } from "./kept_layout.ts";
import { makeLayout } from "./layout.ts";
import { LinkKeeper } from "./link.ts";
import { Tabs } from "./tabs.ts";

beforeEach(() => void vi.useFakeTimers());

/** A Core that keeps drafts. */
function keeper() {
  const kept = new Map<string, Draft>();
  const headOf = ({ draftId, revision, content }: Draft) => create(DraftHeadSchema, { draftId, revision, kind: content?.kind ?? DraftKind.EDITOR });
  const transport = createRouterTransport(({ service }) => {
    service(DraftService, {
      listDrafts: () => ({ drafts: [...kept.values()].map(headOf) }),
      getDraft: ({ draftId }) => ({ draft: kept.get(draftId) }),
      saveDraft: ({ draftId, revision, content }) => {
        const present = kept.get(draftId);
        if ((present?.revision ?? 0n) !== revision) return { outcome: { case: "conflict", value: { present } } };
        const draft = create(DraftSchema, { draftId, revision: revision + 1n, content });
        kept.set(draftId, draft);
        return { outcome: { case: "saved", value: headOf(draft) } };
      },
    });
  });
  return { kept, transport };
}

function store() {
  const items = new Map<string, string>();
  return { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
}

let made = 0;

function page({ transport }: ReturnType<typeof keeper>, lasting = store(), width = 1440) {
  const passing = store();
  const tabs = new Tabs(passing, () => `tab-${made++}`);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const layout = makeLayout(lasting, width);
  const keptLayout = new KeptLayout(coreOver(transport), link, layout, tabs, lasting, () => width, () => `layout-${made++}`);
  return { tabs, layout, keptLayout, lasting };
}

const settle = () => vi.advanceTimersByTimeAsync(5_000);

test("another browser begins with the settings and the panels of the last one", async () => {
  const core = keeper();
  const first = page(core);
  await first.keptLayout.start();
  const [a, b] = [first.tabs.open("c"), first.tabs.open("c")];
  first.tabs.cross(b.id);
  first.layout.setState({ theme: "dark", textSize: 14, keys: { "Run all": "F9" } });
  await settle();

  const second = page(core);
  // What was typed is restored before, by the drafts.
  second.tabs.restore([{ ...a }, { ...b, second: undefined }]);
  await second.keptLayout.start();
  expect(second.layout.getState()).toMatchObject({ theme: "dark", textSize: 14, keys: { "Run all": "F9" } });
  expect(second.tabs.store.getState()).toMatchObject({ activeId: b.id, otherId: a.id });
  expect(core.kept.size).toBe(1);
});

test("what was changed here and not heard by Core holds", async () => {
  const core = keeper();
  const first = page(core);
  await first.keptLayout.start();
  await settle();
  first.layout.setState({ theme: "dark" });
  // The page goes before it is saved.
  const again = page(core, first.lasting);
  await again.keptLayout.start();
  expect(again.layout.getState().theme).toBe("dark");
  await settle();
  const other = page(core);
  await other.keptLayout.start();
  expect(other.layout.getState().theme).toBe("dark");
});

test("what another browser changed is taken when nothing was changed here", async () => {
  const core = keeper();
  const [first, second] = [page(core), page(core)];
  await first.keptLayout.start();
  await settle();
  await second.keptLayout.start();
  second.layout.setState({ density: "roomy" });
  await settle();
  const again = page(core, first.lasting);
  await again.keptLayout.start();
  expect(again.layout.getState().density).toBe("roomy");
});

test("of two windows the last change holds, and what a narrow page closes stays open in a wide one", async () => {
  const core = keeper();
  const [wide, phone] = [page(core), page(core, store(), 400)];
  await wide.keptLayout.start();
  await settle();
  await phone.keptLayout.start();
  expect(phone.layout.getState().sidebarOpen).toBe(false);
  phone.layout.setState({ theme: "dark" });
  await settle();
  wide.layout.setState({ textSize: 16 });
  await settle();
  const third = page(core);
  await third.keptLayout.start();
  expect(third.layout.getState()).toMatchObject({ textSize: 16, theme: "system", sidebarOpen: true });
});

test("a Core that has begun anew hears of all again", async () => {
  const core = keeper();
  const only = page(core);
  await only.keptLayout.start();
  only.layout.setState({ theme: "light" });
  await settle();
  core.kept.clear();
  await only.keptLayout.start();
  await settle();
  expect(core.kept.size).toBe(1);
});
