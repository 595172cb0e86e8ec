import { type KeptChanged, KeptKind } from "../gen/core/v1/event_pb.ts";

/** What Core keeps that may be changed by another window, another browser, or a command. */
export type About = "connections" | "drafts" | "settings";

/** Has those look who show what was changed. */
export class News {
  private readonly listeners = new Map<About, () => void>();

  on(about: About, listener: () => void): void {
    this.listeners.set(about, listener);
  }

  /** Core tells of a change. It tells everybody, also who made it. */
  hear({ kind, id, removed }: KeptChanged, settingsId: string): void {
    if (kind === KeptKind.CONNECTION) this.listeners.get("connections")?.();
    else if (id === settingsId) this.listeners.get("settings")?.();
    // A text that was changed elsewhere is met when it is changed here as well.
    else if (removed) this.listeners.get("drafts")?.();
  }

  /** Looks at everything: what was told meanwhile was not heard. */
  hearAll(): void {
    for (const listener of this.listeners.values()) listener();
  }
}
