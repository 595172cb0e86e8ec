import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { PATIENCE_MS } from "./house.ts";

const DEBIAN = "/usr/lib/postgresql";
const PASSWORD = "päss wörd";
/** Another process may take a free port between its choice and the server's start. */
const PORTS_TRIED_MAX = 5;

/** A PostgreSQL server of a test's own, on loopback. */
export class Postgres {
  private constructor(
    private readonly folder: string,
    private readonly programs: string,
    private readonly server: ChildProcess,
    readonly port: number,
  ) {}

  static async start(): Promise<Postgres> {
    const programs = programsFolder();
    const folder = mkdtempSync(join(tmpdir(), "querybox-flows-pg-"));
    chmodSync(folder, 0o755);
    const { uid, gid } = owner();
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    const words = join(folder, "password");
    writeFileSync(words, `${PASSWORD}\n`);
    const surroundings = { ...owner(), cwd: folder, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC" } };
    const initdb = ["-D", join(folder, "data"), "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${words}`, "-E", "UTF8", "--no-sync"];
    execFileSync(join(programs, "initdb"), initdb, { ...surroundings, stdio: "pipe" });
    for (let tries = 1; ; tries++) {
      const port = await freePort();
      const server = spawn(
        join(programs, "postgres"),
        ["-D", join(folder, "data"), "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
        { ...surroundings, stdio: "ignore" },
      );
      const made = new Postgres(folder, programs, server, port);
      if (await made.isReady()) return made;
      if (tries === PORTS_TRIED_MAX) throw new Error("PostgreSQL does not start");
    }
  }

  /** As somebody would paste it; the password is typed beside it. */
  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres`;
  }

  get password(): string {
    return PASSWORD;
  }

  psql(sql: string, database = "postgres"): string {
    const args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", this.folder, "-p", String(this.port), "-U", "postgres", "-d", database, "-c", sql];
    const client = existsSync(join(this.programs, "psql")) ? join(this.programs, "psql") : "psql";
    return execFileSync(client, args, { env: { PATH: "/usr/bin:/bin", PGPASSWORD: PASSWORD }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  async stop(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const ended = new Promise((resolve) => this.server.once("exit", resolve));
      this.server.kill("SIGINT");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Whether it answers in the end; not when it has ended before. */
  private async isReady(): Promise<boolean> {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until && this.server.exitCode === null) {
      try {
        this.psql("select 1");
        return true;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    return false;
  }
}

function programsFolder(): string {
  const named = process.env.QUERYBOX_TEST_POSTGRES;
  if (named !== undefined) return named;
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  const newest = versions.map((version) => join(DEBIAN, version, "bin")).find((folder) => existsSync(join(folder, "initdb")));
  if (newest === undefined) throw new Error("PostgreSQL is not installed");
  return newest;
}

/** PostgreSQL refuses to run as root. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
}

function freePort(): Promise<number> {
  return new Promise((resolve, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : failed(new Error("no port"))));
    });
  });
}

/** A PostgreSQL server for the tests of a file. */
export function usePostgres(): () => Postgres {
  let postgres: Postgres | undefined;
  beforeAll(async () => {
    postgres = await Postgres.start();
  });
  afterAll(async () => {
    await postgres?.stop();
  });
  return () => {
    if (postgres === undefined) throw new Error("the server is started before the tests");
    return postgres;
  };
}
