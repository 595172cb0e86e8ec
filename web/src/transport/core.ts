import type { DescMethod } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { AccessService } from "../gen/core/v1/access_pb.ts";
import { ConnectionService } from "../gen/core/v1/connection_pb.ts";
import { CredentialService } from "../gen/core/v1/credential_pb.ts";
import { DraftService } from "../gen/core/v1/draft_pb.ts";
import { EventService } from "../gen/core/v1/event_pb.ts";
import { PluginService } from "../gen/core/v1/plugin_pb.ts";
import { ResultService } from "../gen/core/v1/result_pb.ts";
import { SchemaService } from "../gen/core/v1/schema_pb.ts";
import { ScriptService } from "../gen/core/v1/script_pb.ts";
import { SessionService } from "../gen/core/v1/session_pb.ts";

/** A Core that is there answers what is small within this, also on a busy machine; whoever waits longer is told that it hangs. */
export const ANSWERS_MS = 20_000;

/** What a slow network carries of a long text in a second, in bytes. */
const CARRIED = 32_768;

/** How long a text of so many bytes may take on its way, with the answer to it. */
export function patienceFor(bytes: number): number {
  return ANSWERS_MS + Math.ceil((bytes / CARRIED) * 1_000);
}

/** Calls that wait for a database, or for all of a result or a text: how long they take is no sign of Core. */
const TAKE_LONG: ReadonlySet<DescMethod> = new Set([
  ResultService.method.run,
  ResultService.method.makeDownload,
  ScriptService.method.formatScript,
  SessionService.method.cancelSession,
  SessionService.method.closeSession,
  SessionService.method.openSession,
]);

/** The services of Core that the page calls. */
export interface Core {
  readonly access: Client<typeof AccessService>;
  readonly connections: Client<typeof ConnectionService>;
  readonly credentials: Client<typeof CredentialService>;
  readonly drafts: Client<typeof DraftService>;
  readonly events: Client<typeof EventService>;
  readonly plugins: Client<typeof PluginService>;
  readonly results: Client<typeof ResultService>;
  readonly schema: Client<typeof SchemaService>;
  readonly scripts: Client<typeof ScriptService>;
  readonly sessions: Client<typeof SessionService>;
}

export function coreOver(plain: Transport): Core {
  const transport = withPatience(plain);
  return {
    access: createClient(AccessService, transport),
    connections: createClient(ConnectionService, transport),
    credentials: createClient(CredentialService, transport),
    drafts: createClient(DraftService, transport),
    events: createClient(EventService, transport),
    plugins: createClient(PluginService, transport),
    results: createClient(ResultService, transport),
    schema: createClient(SchemaService, transport),
    scripts: createClient(ScriptService, transport),
    sessions: createClient(SessionService, transport),
  };
}

/** Gives up a call without an answer, unless it says itself how long it may take, or is a stream. */
function withPatience(transport: Transport): Transport {
  return {
    unary: (method, signal, timeoutMs, ...rest) => transport.unary(method, signal, timeoutMs ?? (TAKE_LONG.has(method) ? undefined : ANSWERS_MS), ...rest),
    stream: (...call) => transport.stream(...call),
  };
}
