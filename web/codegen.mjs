// Writes TypeScript for the contracts into src/gen: run before each check and build, so that it never differs from them.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "querybox-contracts-"));
try {
  for (const part of ["core", "plugin"]) cpSync(join("../contracts", part), join(folder, part), { recursive: true });
  // What the contracts do not have: the detail of a gRPC status.
  cpSync("proto", folder, { recursive: true });
  execFileSync("node_modules/.bin/buf", ["generate", folder, "--template", "buf.gen.yaml"], { stdio: "inherit" });
} finally {
  rmSync(folder, { recursive: true });
}
