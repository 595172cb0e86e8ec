import { DraftKind } from "../gen/core/v1/draft_pb.ts";
import type { Core } from "../transport/core.ts";
import { reasonOf } from "../transport/problem.ts";

/** Names that all windows know: of two that begin at once, neither makes a document of its own. */
export const SETTINGS_ID = "87fc964d-1627-4230-9bbd-1365b1253dc8";
export const ARRANGEMENT_ID = "1250a924-ee64-45df-b98c-b5fd15df9b5c";

/** What came of a write. */
export type Written =
  | { readonly kind: "saved" }
  /** Somebody else was here: this is what is there. Absent: nothing. */
  | { readonly kind: "conflict"; readonly present: string | undefined };

/** A document of the page in Core, one for all windows. Nothing that was typed into an editor is in it. */
export class KeptDocument {
  private revision = 0n;

  constructor(
    private readonly core: Core,
    private readonly draftId: string,
    private readonly title: string,
  ) {}

  /** What Core has. Absent: nothing. */
  async read(): Promise<string | undefined> {
    try {
      const { draft } = await this.core.drafts.getDraft({ draftId: this.draftId });
      return this.see(draft);
    } catch (error) {
      if (reasonOf(error) !== "DRAFT_NOT_FOUND") throw error;
      return this.see(undefined);
    }
  }

  /** Writes over what was seen last, and over nothing else. */
  async write(text: string): Promise<Written> {
    const content = { kind: DraftKind.LAYOUT, title: this.title, connectionId: "", text: "", state: new TextEncoder().encode(text) };
    const { outcome } = await this.core.drafts.saveDraft({ draftId: this.draftId, revision: this.revision, content });
    if (outcome.case === "conflict") return { kind: "conflict", present: this.see(outcome.value.present) };
    this.revision = outcome.value?.revision ?? 0n;
    return { kind: "saved" };
  }

  private see(draft: { readonly revision: bigint; readonly content?: { readonly state: Uint8Array } | undefined } | undefined): string | undefined {
    this.revision = draft?.revision ?? 0n;
    return draft === undefined ? undefined : new TextDecoder().decode(draft.content?.state);
  }
}
