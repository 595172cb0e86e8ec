import type { App } from "../state/app.ts";
import type { IconName } from "../ui/Icon.tsx";

/** Something that a user can do: shared by menus, the palette and keys. */
export interface Action {
  /** As people read it. */
  readonly name: string;
  readonly icon: IconName;
  /** Such as `Mod+Shift+Enter`, with the names of `KeyboardEvent.code` without `Key`. */
  readonly shortcut?: string;
  /** In its place on a Mac, where Alt types letters. */
  readonly macShortcut?: string;
  /** Whether it can be done now. Absent: always. */
  readonly enabled?: (app: App) => boolean;
  readonly run: (app: App) => void;
}
