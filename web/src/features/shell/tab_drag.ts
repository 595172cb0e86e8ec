import type { DragEvent } from "react";

const TYPE = "application/x-querybox-tab";

export function startTabDrag(event: DragEvent, tabId: string): void {
  event.dataTransfer.setData(TYPE, tabId);
  event.dataTransfer.effectAllowed = "move";
}

/** Whether it is a tab that is dragged. Which one is told when it is dropped. */
export function isTabDrag(event: DragEvent): boolean {
  return event.dataTransfer.types.includes(TYPE);
}

export function tabOfDrag(event: DragEvent): string | undefined {
  return event.dataTransfer.getData(TYPE) || undefined;
}
