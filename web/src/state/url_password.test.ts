import { describe, expect, test } from "vitest";
import { withoutPassword } from "./url_password.ts";

describe("a password in a URL", () => {
  test("goes out of it, wherever it stands", () => {
    const part = (text: string) => {
      const { url, password } = withoutPassword(text);
      return [url, password];
    };
    expect(part("postgresql://me:p%C3%A4ss%40@db:5432/shop?sslmode=require")).toEqual(["postgresql://me@db:5432/shop?sslmode=require", "päss@"]);
    expect(part("postgres://me:a:b@c@db/x")).toEqual(["postgres://me@db/x", "a:b@c"]);
    expect(part("postgres://:only@db/x")).toEqual(["postgres://@db/x", "only"]);
    expect(part("postgresql://me@db/x?password=s3&sslmode=require")).toEqual(["postgresql://me@db/x?sslmode=require", "s3"]);
    expect(part("postgresql://me@db/x?sslmode=require&password=s3")).toEqual(["postgresql://me@db/x?sslmode=require", "s3"]);
    expect(part("host=db password='it''s \\\\ x' user=me")[0]).not.toContain("password");
    expect(part("host=db password='it\\'s' user=me")).toEqual(["host=db user=me", "it's"]);
    expect(part("password=s3 host=db")).toEqual(["host=db", "s3"]);
    expect(part("postgresql://me:100%@db/x")).toEqual(["postgresql://me@db/x", "100%"]);
  });
  test("goes whole, with signs in it that should be written otherwise", () => {
    for (const password of ["pa/ss", "pa?ss", "pa#ss", "p@ss/word", "a/b@c/d", "12/34", "#", "a?b@c"]) {
      expect(withoutPassword(`postgres://u:${password}@h:5432/db`), password).toEqual({ url: "postgres://u@h:5432/db", password });
    }
    expect(withoutPassword("postgres://u:p/w@h/db?user=ada@corp&x=y@z")).toEqual({ url: "postgres://u@h/db?user=ada@corp&x=y@z", password: "p/w" });
    expect(withoutPassword("postgres://u:one@h/db?password=two")).toEqual({ url: "postgres://u@h/db", password: "two" });
    expect(withoutPassword("host=db password='not closed")).toEqual({ url: "host=db", password: "not closed" });
  });
  test("is looked for nowhere else", () => {
    for (const text of ["postgresql://me@db:5432/a:b@c", "postgresql://db/x?application_name=a:b@c", "sqlite:/tmp/a:b@c.db", "postgres://db:5432/x?user=ada@corp", "postgres://a:1,b:2/x?user=ada@corp", "postgres://[::1]:5432/x?user=a@b", "postgres://db:5432/x", "host=db user=me", ""]) {
      expect(withoutPassword(text)).toEqual({ url: text, password: undefined });
    }
  });
});
