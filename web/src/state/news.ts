/** What may have changed in Core by somebody else. */
export type About = "connections" | "drafts";

/** The part of a `BroadcastChannel` that is used: what one window posts, all others hear. */
export type Channel = Pick<BroadcastChannel, "postMessage" | "onmessage">;

/** What the windows of a browser tell each other: that it is time to look. What there is to see, Core tells. */
export class News {
  private readonly listeners = new Map<About, () => void>();

  constructor(private readonly channel: Channel | undefined) {
    if (channel !== undefined) channel.onmessage = ({ data }: MessageEvent<unknown>) => this.listeners.get(data as About)?.();
  }

  /** Tells the other windows. */
  tell(about: About): void {
    this.channel?.postMessage(about);
  }

  on(about: About, listener: () => void): void {
    this.listeners.set(about, listener);
  }

  /** Looks at everything: what was told meanwhile was not heard. */
  hearAll(): void {
    for (const listener of this.listeners.values()) listener();
  }
}
