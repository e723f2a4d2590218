import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where protobufjs finds what a proto file of this folder imports: imports are written from the folder's root. Of
 * Google's own files protobufjs has some built in, which it knows by their names, and `descriptor.proto`, what options
 * of fields extend, beside it.
 *
 * @param {string} target - as the import names it
 * @param {string} folder - the folder of the proto files
 */
export const resolveImport = (target, folder) =>
  target === "google/protobuf/descriptor.proto"
    ? fileURLToPath(import.meta.resolve(`protobufjs/${target}`))
    : target.startsWith("google/protobuf/")
      ? target
      : join(folder, target);
