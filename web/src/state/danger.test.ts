import { expect, test } from "vitest";
import { dangerOf } from "./danger.ts";

test("what takes all rows is found", () => {
  expect(dangerOf("delete from orders")).toBe("DELETE without WHERE: every row");
  expect(dangerOf("select 1;\nupdate orders set note = 'where'")).toBe("UPDATE without WHERE: every row");
  expect(dangerOf("with x as (select 1) delete from orders -- where id = 1")).toBe("DELETE without WHERE: every row");
  expect(dangerOf("drop table if exists orders")).toBe("DROP TABLE");
  expect(dangerOf("  TRUNCATE orders")).toBe("TRUNCATE ORDERS");
});

test("what is narrowed, quoted or only read is not", () => {
  expect(dangerOf("delete from orders where id = 1")).toBeUndefined();
  expect(dangerOf("select 'drop table x; delete from y'")).toBeUndefined();
  expect(dangerOf("insert into log values ($x$ truncate t; $x$)")).toBeUndefined();
});
