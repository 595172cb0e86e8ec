import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

const PROGRAMS = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];
const PATIENCE_MS = 60_000;

/** What is not installed of all that a keyring of a test's own needs. */
export function missingForKeyring(): readonly string[] {
  return PROGRAMS.filter((program) => !["/usr/bin", "/bin"].some((folder) => existsSync(join(folder, program))));
}

/** A session bus of a test's own, with an unlocked GNOME Keyring on it. */
export class Keyring {
  private constructor(
    private readonly folder: string,
    private readonly processes: readonly ChildProcess[],
    readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(): Promise<Keyring> {
    const folder = mkdtempSync(join(tmpdir(), "querybox-flows-keyring-"));
    for (const name of ["home", "data", "config", "cache", "run"]) mkdirSync(join(folder, name), { mode: 0o700 });
    const socket = join(folder, "bus");
    const environment = {
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}`,
      HOME: join(folder, "home"),
      XDG_DATA_HOME: join(folder, "data"),
      XDG_CONFIG_HOME: join(folder, "config"),
      XDG_CACHE_HOME: join(folder, "cache"),
      XDG_RUNTIME_DIR: join(folder, "run"),
    };
    const surroundings = { PATH: "/usr/bin:/bin", LC_ALL: "C", ...environment };
    writeFileSync(join(folder, "bus.conf"), rules(socket));
    const bus = spawn("dbus-daemon", [`--config-file=${join(folder, "bus.conf")}`, "--nofork", "--nopidfile", "--nosyslog"], { env: surroundings, stdio: "ignore" });
    await until(() => existsSync(socket), "the bus listens");
    const daemon = spawn("gnome-keyring-daemon", ["--foreground", "--unlock", "--components=secrets", `--control-directory=${join(folder, "run/keyring")}`], {
      env: surroundings,
      stdio: ["pipe", "ignore", "ignore"],
    });
    daemon.stdin?.end("login");
    const owner = ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"];
    await until(
      () => existsSync(join(folder, "data/keyrings/login.keyring")) && execFileSync("dbus-send", owner, { env: surroundings, encoding: "utf8" }).includes("true"),
      "the keyring answers",
    );
    return new Keyring(folder, [daemon, bus], environment);
  }

  async stop(): Promise<void> {
    for (const process of this.processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      const ended = new Promise((resolve) => process.once("exit", resolve));
      process.kill("SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isSo(); ) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** It starts no service by itself: nothing of the user's comes up. */
function rules(socket: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

/** A keyring for the tests of a file. */
export function useKeyring(): () => Keyring {
  let keyring: Keyring | undefined;
  beforeAll(async () => {
    keyring = await Keyring.start();
  });
  afterAll(async () => {
    await keyring?.stop();
  });
  return () => {
    if (keyring === undefined) throw new Error("the keyring is started before the tests");
    return keyring;
  };
}
