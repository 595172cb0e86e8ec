import type { IconName } from "../../ui/Icon.tsx";

/** The drawings that there are, by PluginInfo.icon_name. */
const DRAWN: Readonly<Record<string, IconName>> = { postgresql: "d-pg", sqlite: "d-lite" };

export function driverIcon(iconName: string | undefined): IconName {
  return DRAWN[iconName ?? ""] ?? "plug";
}
