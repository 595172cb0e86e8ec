import type { Message } from "../../state/run_view.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";

const ICONS: Readonly<Record<Message["tone"], IconName>> = { plain: "check", warn: "warn", danger: "error" };

interface MessageListProps {
  readonly messages: readonly Message[];
  readonly isRunning: boolean;
  /** The script had no statement. */
  readonly isEmpty: boolean;
}

/** What was said while a script ran. */
export function MessageList({ messages, isRunning, isEmpty }: MessageListProps) {
  return (
    <div className="messages" aria-label="Messages" role="log" tabIndex={0}>
      <ol>
        {messages.map((message) => (
          <li key={message.key} className={message.tone}>
            <Icon name={ICONS[message.tone]} />
            <span className="no code">{message.statement}</span>
            <span className="code said">{message.text}</span>
            <span className="dim">{message.detail}</span>
          </li>
        ))}
        {messages.length === 0 && <li className="dim">{isRunning ? "Nothing has been said yet." : isEmpty ? "There was no statement to run: the text has only comments and white space." : "Nothing was said."}</li>}
      </ol>
    </div>
  );
}
