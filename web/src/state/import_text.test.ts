import { expect, test } from "vitest";
import { readImport } from "./import_text.ts";

const short = (text: string) => {
  const { found, skipped } = readImport(text);
  return [
    ...found.map(({ line, name, leadsTo, password }) => [line, name, leadsTo.kind === "url" ? leadsTo.url : leadsTo.values.map((pair) => pair.join("=")).join(" "), password]),
    ...skipped.map(({ line, why }) => [line, why]),
  ];
};

test("URLs lose their passwords, and are named for people", () => {
  expect(short("# mine\n\npostgres://ada:s%20e@db.example.org:5433/shop?sslmode=require\r\nsqlite:/srv/books.db\npostgresql://db/\npostgresql://u@db/x?mypass=1")).toEqual([
    [3, "ada@db.example.org shop", "postgres://ada@db.example.org:5433/shop?sslmode=require", "s e"],
    [4, "books.db", "sqlite:/srv/books.db", undefined],
    [5, "db", "postgresql://db/", undefined],
    [6, "it has a password among its options"],
  ]);
});

test("no part of a password is shown, whatever signs it has", () => {
  expect(short("postgres://u:pa/ss@h/db\npostgres://u:p?w#@h/db")).toEqual([
    [1, "u@h db", "postgres://u@h/db", "pa/ss"],
    [2, "u@h db", "postgres://u@h/db", "p?w#"],
  ]);
});

test("lines of .pgpass lead to one server each", () => {
  expect(short("db:5432:shop:ada:se\\:cr\\\\et\ndb::*:ada:x:y\n*:5432:shop:ada:x\ndb:5432:shop:ada:\nwhat is this\n::::")).toEqual([
    [1, "ada@db shop", "host=db user=ada port=5432 database=shop", "se:cr\\et"],
    [2, "ada@db", "host=db user=ada", "x"],
    [3, "it stands for any host, port or user, and a connection leads to one"],
    [4, "it has no password"],
    [5, "it is no URL, no service and no line of .pgpass"],
    [6, "it has no password"],
  ]);
});

test("sections of pg_service.conf are connections, and one that says more than the driver knows is left out", () => {
  expect(short("[shop]\nhost=db\ndbname=shop\nuser=ada\npassword= a b\napplication_name=psql\n[bare]\nhost=/run\n[odd]\ngssencmode=require\n[twice]\nhost=a\nhostaddr=b\n[open\nhost=a")).toEqual([
    [1, "shop", "host=db database=shop user=ada", " a b"],
    [7, "bare", "host=/run", undefined],
    [9, "service odd: it has a keyword that the driver does not know"],
    [11, "service twice: it says its host twice"],
    [14, "its name does not end with ]; what stands below it is left out"],
  ]);
});

test("all of them may stand in one text, behind a mark of its encoding", () => {
  expect(short("\uFEFF[a]\nhost=x\npostgres://y/z\nh:1:d:u:p")).toEqual([
    [1, "a", "host=x", undefined],
    [3, "y z", "postgres://y/z", undefined],
    [4, "u@h d", "host=h user=u port=1 database=d", "p"],
  ]);
});
