import { createContext } from "react";

/** Whether a panel has no room for the inspector beside the grid: it lies over it there. */
export const InspectorLiesOver = createContext(false);
