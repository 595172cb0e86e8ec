/** The icons of the product: 16 px, strokes of 1.25 px with round ends. */
const drawings = {
  "asc": <><path d="M8 12.5v-9M4.5 7 8 3.500 11.500 7" /></>,
  "back": <><path d="M3 8a5 5 0 1 0 1.400-3.500M3 2.500v2.750h2.750M8 5.500V8l1.750 1.250" /></>,
  "bars": <><path d="M2.5 13.500h11M4 13.500V9M8 13.500V3M12 13.500V6.500" /></>,
  "bolt": <><path d="M8.75 2 3.75 9H7.5l-.5 5 5.25-7.25H8.4z" /></>,
  "check": <><path d="m3.5 8.5 3 3 6-7" /></>,
  "clip": <><rect x="3.5" y="3.5" width="9" height="10" rx="1.5" /><path d="M6 3.5v-.25a1 1 0 0 1 1-1h2a1 1 0 0 1 1 1v.25" /></>,
  "close": <><path d="m4.5 4.5 7 7M11.5 4.5l-7 7" /></>,
  "copy": <><rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" /></>,
  "d-lite": <><path d="M13.500 2.500c-4.700.3-8 3.300-8.900 8.200M13.500 2.500c.3 4.300-2.300 7.900-7.300 8.100M2.500 13.500c.5-1.200 1.200-2.100 2.100-2.800M8.500 6.500 6.200 10.600M10.600 6.900l-2 .1" /></>,
  "d-pg": <><path d="M5.3 11.2c-1.9-.4-3-3-3-5.4 0-1.9 1.2-3.1 2.9-3.1.7 0 1.3.2 1.8.5.3-.1.7-.1 1-.1s.7 0 1 .1c.5-.3 1.1-.5 1.8-.5 1.7 0 2.9 1.2 2.9 3.1 0 1.8-.7 3.8-1.9 4.8M7 3.2C5.9 3.9 5.3 5 5.3 6.7v3.8M9 3.2c1.1.7 1.7 1.8 1.7 3.5v2c0 1.2-.8 1.6-1.3 2.1-.4.4-.4.9-.4 1.5 0 1-.5 1.5-1.2 1.5s-1.1-.5-1.1-1.3" /><path d="M6.9 6.9h.01M9.1 6.9h.01" strokeWidth="1.5" /></>,
  "dash": <><path d="M5 8h6" /></>,
  "desc": <><path d="M8 3.5v9M4.5 9 8 12.5 11.5 9" /></>,
  "down": <><path d="M4.25 6.25 8 10l3.75-3.75" /></>,
  "error": <><circle cx="8" cy="8" r="5.75" /><path d="M8 5v3.5M8 10.75v.01" /></>,
  "export": <><path d="M8 10V2.500M5 5.250 8 2.500l3 2.750M3 9.500V12a1.500 1.500 0 0 0 1.500 1.500h7A1.500 1.500 0 0 0 13 12V9.500" /></>,
  "fail": <><path d="m5 5 6 6M11 5l-6 6" /></>,
  "fit": <><path d="M2.5 3.5v9M13.5 3.5v9M4.75 8h6.500M6.500 6.250 4.750 8l1.750 1.750M9.500 6.250 11.250 8 9.500 9.750" /></>,
  "filter": <><path d="M2.5 4.5h11M4.75 8h6.5M6.75 11.5h2.5" /></>,
  "fn": <><path d="M11 3.1c-1.7-.6-2.8.2-3.1 1.9l-1.1 6c-.3 1.7-1.3 2.4-2.8 1.9M5 7h5.5" /></>,
  "format": <><path d="M2.500 4h11M5.500 8h8M5.500 12h5" /></>,
  "hide": <><path d="M6.500 4a6.600 6.600 0 0 1 1.500-.250C12 3.750 14.250 8 14.250 8a10.500 10.500 0 0 1-1.600 2.200M4.300 5.050A9.800 9.800 0 0 0 1.750 8S4 12.250 8 12.250c1.200 0 2.200-.35 3.050-.85M2.500 2.500l11 11" /></>,
  "hold": <><path d="M7 4.9 8 3.9a2.55 2.55 0 0 1 3.6 3.6l-1 1M9 11.1l-1 1a2.55 2.55 0 0 1-3.6-3.6l1-1M6.4 9.6l3.2-3.2" /></>,
  "key": <><circle cx="5.25" cy="10.75" r="2.5" /><path d="m7.1 8.9 5.9-5.9M10.5 5.5l2 2" /></>,
  "left": <><path d="M9.75 4.25 6 8l3.75 3.75" /></>,
  "limit": <><path d="M2.5 4h11M2.5 8h11M2.5 12h4M9.5 12h.01M12.5 12h.01" /></>,
  "link": <><path d="m4.5 11.5 7-7M6 4.5h5.5V10" /></>,
  "lock": <><rect x="3.5" y="7" width="9" height="6.5" rx="1.5" /><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" /></>,
  "moon": <><path d="M13 9.4A5.5 5.5 0 1 1 6.6 3a4.4 4.4 0 0 0 6.4 6.4z" /></>,
  "more": <><path d="M4 8h.01M8 8h.01M12 8h.01" strokeWidth="1.75" /></>,
  "pane-l": <><rect x="2.5" y="3" width="11" height="10" rx="1.5" /><path d="M6.25 3v10" /></>,
  "pane-r": <><rect x="2.5" y="3" width="11" height="10" rx="1.5" /><path d="M9.75 3v10" /></>,
  "pin": <><path d="M5.500 2.500h5M6.250 2.500v4L4.250 9h7.500l-2-2.500v-4M8 9v4.500" /></>,
  "play": <><path fill="currentColor" stroke="none" d="M4.5 3.4v9.2a.7.7 0 0 0 1.07.6l7.3-4.6a.7.7 0 0 0 0-1.2l-7.3-4.6a.7.7 0 0 0-1.07.6z" /></>,
  "play-all": <><path d="M2.5 4v8l5-4zM8.5 4v8l5-4z" /></>,
  "plug": <><path d="M5.75 2v3M10.25 2v3M4 5h8v2.25a4 4 0 0 1-8 0zM8 11.25V14" /></>,
  "plus": <><path d="M8 3.5v9M3.5 8h9" /></>,
  "prompt": <><path d="m3 4.500 3.500 3.500L3 11.500M8.500 11.750h4.500" /></>,
  "refresh": <><path d="M13 8a5 5 0 1 1-1.4-3.5M13 2.5v2.75h-2.75" /></>,
  "return": <><path d="M13 4v3.5A1.5 1.5 0 0 1 11.5 9H3.5M6 6.25 3.25 9 6 11.75" /></>,
  "right": <><path d="M6.25 4.25 10 8l-3.75 3.75" /></>,
  "rows-once": <><path d="M2.500 4h11M2.500 8h11M2.500 12h4M10 10.500l3 3M13 10.500l-3 3" /></>,
  "schema": <><path d="M8 2.25 13.5 5 8 7.75 2.5 5zM2.5 8 8 10.75 13.5 8M2.5 11 8 13.75 13.5 11" /></>,
  "search": <><circle cx="7" cy="7" r="4.25" /><path d="m10.25 10.25 3.25 3.25" /></>,
  "skip": <><path d="M2.500 4h7M2.500 8h4M2.500 12h4M10 7.500l3.500 2.500-3.500 2.500zM12.500 3l-1.500 2.500" /></>,
  "sliders": <><path d="M2.5 5h5.75M12.5 5h1M2.5 11h1M7.75 11h5.75" /><circle cx="10.4" cy="5" r="1.9" /><circle cx="5.6" cy="11" r="1.9" /></>,
  "stop": <><rect fill="currentColor" stroke="none" x="4" y="4" width="8" height="8" rx="1.5" /></>,
  "t-enum": <><path d="M6.500 4.500h6.500M6.500 8h6.500M6.500 11.500h6.500M3.250 4.500h.01M3.250 8h.01M3.250 11.500h.01" /></>,
  "t-json": <><path d="M6.250 3H5.500A1.500 1.500 0 0 0 4 4.500v2A1.500 1.500 0 0 1 2.500 8 1.500 1.500 0 0 1 4 9.500v2A1.500 1.500 0 0 0 5.500 13h.75M9.750 3h.75A1.500 1.500 0 0 1 12 4.500v2A1.500 1.500 0 0 0 13.500 8 1.500 1.500 0 0 0 12 9.500v2a1.500 1.500 0 0 1-1.500 1.500h-.75" /></>,
  "t-num": <><path d="M6.25 3.5 5 12.500M11 3.500 9.750 12.500M3.500 6.250h9.500M3 9.750h9.500" /></>,
  "t-text": <><path d="M3.750 5V3.750h8.500V5M8 3.750v8.500M6.500 12.250h3" /></>,
  "t-time": <><circle cx="8" cy="8" r="5.250" /><path d="M8 5v3.250l2 1.250" /></>,
  "table": <><rect x="2.5" y="3" width="11" height="10" rx="1.5" /><path d="M2.5 6.5h11M6.5 6.5V13" /></>,
  "tables": <><path d="M4.5 2.5h7a2 2 0 0 1 2 2v6" /><rect x="2.5" y="5" width="8.5" height="8.5" rx="1.5" /><path d="M2.5 8H11" /></>,
  "target": <><path d="M2.500 4h11M2.500 12h11M2.500 8H9M13.500 8H9M11 6 9 8l2 2" /></>,
  "timer": <><circle cx="8" cy="9" r="4.75" /><path d="M8 6.5V9l1.6 1.2M6.5 2h3" /></>,
  "unplug": <><path d="M2.5 13.5 5 11M9 5.5l2-2M12.5 9l2-2M7.5 4.5l5.5 5.5-1.2 1.2a3.4 3.4 0 0 1-4.6.2M6 6 4.8 7.2a3.4 3.4 0 0 0-.3 4.4M2.5 2.5l11 11" /></>,
  "view": <><path d="M1.75 8S4 3.75 8 3.75 14.25 8 14.25 8 12 12.25 8 12.25 1.75 8 1.75 8z" /><circle cx="8" cy="8" r="1.75" /></>,
  "warn": <><path d="M7.15 3.05 1.9 12a1 1 0 0 0 .85 1.5h10.5a1 1 0 0 0 .85-1.5L8.85 3.05a1 1 0 0 0-1.7 0zM8 6.5v3M8 11.5v.01" /></>,
} as const;

export type IconName = keyof typeof drawings;

interface IconProps {
  readonly name: IconName;
  readonly small?: boolean;
  readonly className?: string;
}

/** An icon that says nothing by itself: the control around it has the words. */
export function Icon({ name, small = false, className = "" }: IconProps) {
  return (
    <svg className={`i ${small ? "s " : ""}${className}`} viewBox="0 0 16 16" aria-hidden="true">
      {drawings[name]}
    </svg>
  );
}

/** The product's mark. */
export function Mark({ big = false }: { readonly big?: boolean }) {
  return (
    <svg className={big ? "mark big" : "mark"} viewBox="0 0 18 18" aria-hidden="true">
      <rect className="q" x="2" y="2" width="13" height="13" rx="4" />
      <path className="t" d="m11 11 5 5" />
    </svg>
  );
}
