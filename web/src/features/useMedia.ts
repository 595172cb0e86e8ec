import { useSyncExternalStore } from "react";

/** Fingers: they need more room, and have neither a right button nor tooltips. */
export const COARSE = "(pointer: coarse)";

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = matchMedia(query);
      media.addEventListener("change", changed);
      return () => media.removeEventListener("change", changed);
    },
    () => matchMedia(query).matches,
  );
}
