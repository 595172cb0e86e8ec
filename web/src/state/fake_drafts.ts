import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { DeleteDraftResponseSchema, type Draft, DraftHeadSchema, DraftKind, DraftSchema, DraftService, TextKeeping } from "../gen/core/v1/draft_pb.ts";
import { coreOver } from "../transport/core.ts";
import { Drafts } from "./drafts.ts";
import { LinkKeeper } from "./link.ts";
import type { News } from "./news.ts";
import { Tabs } from "./tabs.ts";
import { Toasts } from "./toasts.ts";

/** What stands before and behind each call: it may wait, or fail. */
interface Gate {
  keeping: TextKeeping;
  /** How many drafts it has that it cannot open. */
  unreadable: number;
  before: (call: string) => Promise<void>;
  after: (call: string) => Promise<void>;
}

/** A Core that keeps drafts in memory. */
export function keeper(kept = new Map<string, Draft>()) {
  const gate: Gate = { keeping: TextKeeping.SEALED, unreadable: 0, before: async () => undefined, after: async () => undefined };
  const transport = createRouterTransport(({ service }) => {
    service(DraftService, {
      listDrafts: async () => {
        await gate.before("list");
        return { drafts: [...kept.values()].map(headOf), keeping: TextKeeping.SEALED, unreadableCount: gate.unreadable };
      },
      getDraft: async ({ draftId }) => {
        await gate.before("get");
        return { draft: kept.get(draftId) };
      },
      saveDraft: async ({ draftId, revision, content }) => {
        await gate.before("save");
        const present = kept.get(draftId);
        if ((present?.revision ?? 0n) !== revision) return { outcome: { case: "conflict", value: { present } } };
        const draft = create(DraftSchema, { draftId, revision: revision + 1n, content });
        kept.set(draftId, draft);
        await gate.after("save");
        return { outcome: { case: "saved", value: headOf(draft) }, keeping: gate.keeping };
      },
      deleteDraft: async ({ draftId, revision }) => {
        await gate.before("delete");
        const present = kept.get(draftId);
        if ((present?.revision ?? 0n) !== revision) return create(DeleteDraftResponseSchema, { outcome: { case: "conflict", value: { present } } });
        kept.delete(draftId);
        return create(DeleteDraftResponseSchema, { outcome: { case: "deleted", value: {} } });
      },
    });
  });
  return { kept, transport, gate };
}

function headOf({ draftId, revision, content }: Draft) {
  return create(DraftHeadSchema, { draftId, revision, kind: content?.kind ?? DraftKind.EDITOR, title: content?.title ?? "", textBytes: BigInt(content?.text.length ?? 0) });
}

let made = 0;

export function page({ transport }: ReturnType<typeof keeper>, storage = store(), news?: News) {
  const makeId = () => `id-${made++}`;
  const tabs = new Tabs(storage, makeId);
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  void link.enter();
  const drafts = new Drafts(coreOver(transport), link, tabs, new Toasts(), storage, makeId, news);
  return { tabs, drafts, link };
}

export function store() {
  const items = new Map<string, string>();
  return { getItem: (key: string) => items.get(key) ?? null, setItem: (key: string, value: string) => void items.set(key, value) };
}

export const textsIn = ({ kept }: ReturnType<typeof keeper>) => [...kept.values()].map(({ content }) => content?.text);
