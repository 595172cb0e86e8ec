import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { type Draft, DraftHeadSchema, DraftKind, DraftSchema, DraftService, TextKeeping } from "../gen/core/v1/draft_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Drafts } from "./drafts.ts";
import { LinkKeeper } from "./link.ts";
import { Tabs } from "./tabs.ts";
import { Toasts } from "./toasts.ts";

beforeEach(() => void vi.useFakeTimers());

/** A Core that keeps drafts in memory. */
function keeper(kept = new Map<string, Draft>()) {
  const transport = createRouterTransport(({ service }) => {
    service(DraftService, {
      listDrafts: () => ({ drafts: [...kept.values()].map(headOf), keeping: TextKeeping.SEALED }),
      getDraft: ({ draftId }) => ({ draft: kept.get(draftId) }),
      saveDraft: ({ draftId, revision, content }) => {
        const present = kept.get(draftId);
        if ((present?.revision ?? 0n) !== revision) return { outcome: { case: "conflict", value: { present } } };
        const draft = create(DraftSchema, { draftId, revision: revision + 1n, content });
        kept.set(draftId, draft);
        return { outcome: { case: "saved", value: headOf(draft) } };
      },
      deleteDraft: ({ draftId }) => {
        kept.delete(draftId);
        return { outcome: { case: "deleted", value: {} } };
      },
    });
  });
  return { kept, transport };
}

function headOf({ draftId, revision, content }: Draft) {
  return create(DraftHeadSchema, { draftId, revision, kind: content?.kind ?? DraftKind.EDITOR, title: content?.title ?? "" });
}

function page({ transport }: ReturnType<typeof keeper>, storage = store()) {
  let made = 0;
  const makeId = () => `id-${made++}`;
  const tabs = new Tabs(storage, makeId);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  const drafts = new Drafts(coreOver(transport), link, tabs, new Toasts(), storage, makeId);
  return { tabs, drafts };
}

function store() {
  const items = new Map<string, string>();
  return { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
}

const settle = () => vi.advanceTimersByTimeAsync(2_000);

test("what is typed is kept, and opened by a page that has nothing", async () => {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  const one = first.tabs.open("c1", "select 1");
  first.tabs.open("c2", "select 2");
  await settle();
  first.tabs.change(one.id, { text: "select 1 + 1", resultId: "r1" });
  await settle();
  const second = page(core);
  await second.drafts.start();
  expect(second.tabs.store.getState().tabs.map(({ text, resultId }) => [text, resultId])).toEqual([
    ["select 1 + 1", "r1"],
    ["select 2", undefined],
  ]);
});

test("a closed tab is kept no more", async () => {
  const core = keeper();
  const { tabs, drafts } = page(core);
  await drafts.start();
  const tab = tabs.open("c1", "select 1");
  await settle();
  tabs.close(tab.id);
  await settle();
  expect(core.kept.size).toBe(0);
});

test("two pages that change one text keep both", async () => {
  const core = keeper();
  const first = page(core);
  await first.drafts.start();
  const tab = first.tabs.open("c1", "common");
  await settle();
  const second = page(core);
  await second.drafts.start();
  first.tabs.change(tab.id, { text: "mine" });
  await settle();
  second.tabs.change(tab.id, { text: "yours" });
  await settle();
  expect([...core.kept.values()].map(({ content }) => content?.text).toSorted()).toEqual(["mine", "yours"]);
  expect(second.tabs.active?.text).toBe("yours");
});

test("a Core that forgot everything is told again", async () => {
  const storage = store();
  const first = page(keeper(), storage);
  await first.drafts.start();
  first.tabs.open("c1", "select 1");
  await settle();
  const anew = keeper();
  const second = page(anew, storage);
  await second.drafts.start();
  await settle();
  expect([...anew.kept.values()].map(({ content }) => content?.text)).toEqual(["select 1"]);
});
