import { create, toJsonString } from "@bufbuild/protobuf";
import { type ConnectionSpec, ConnectionSpecSchema, SecretPlace } from "../gen/core/v1/connection_pb.ts";

/** What a session on a connection was opened with, as a text that is another one when that is: where it leads, and how. */
export function leadsTo({ driverType, parameters, readOnly, startupSql, defaultSchema, secretPlace }: ConnectionSpec): string {
  const inOrder = parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // Where a password is kept is no other place, but whether it is.
  const asked = secretPlace === SecretPlace.ASK ? secretPlace : SecretPlace.UNSPECIFIED;
  return toJsonString(ConnectionSpecSchema, create(ConnectionSpecSchema, { driverType, parameters: inOrder, readOnly, startupSql, defaultSchema, secretPlace: asked }));
}
