import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";

import { endpoints } from "../endpoints.js";
import { clusterId, type ClusterSettings, HA_FOLDER } from "../settings.js";
import { objectStoreKeys } from "./object-store-keys.js";

// This version is pinned and made for Node 20; people who run a demo need not be told that later ones will not be.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

/** Runs an action with a client of the cluster's object store, then closes the client. */
async function withStore<T>(
  settings: ClusterSettings,
  work: (client: S3Client, bucket: string) => Promise<T>,
): Promise<T> {
  const { bucket, keysIn } = settings.objectStore;
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = objectStoreKeys(keysIn);
  const client = new S3Client({
    endpoint: endpoints(settings).minio,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 5,
  });
  try {
    return await work(client, bucket);
  } finally {
    client.destroy();
  }
}

/** The keys of all objects below a prefix, however many pages that takes. */
async function* keysBelow(client: S3Client, Bucket: string, Prefix: string): AsyncGenerator<string> {
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix }))
    for (const { Key } of Contents) if (Key !== undefined) yield Key;
}

/** Creates the bucket for checkpoints unless it exists: Flink does not. */
export async function createBucket(settings: ClusterSettings): Promise<void> {
  await withStore(settings, async (client, Bucket) => {
    try {
      await client.send(new CreateBucketCommand({ Bucket }));
    } catch (error) {
      if (!(error instanceof S3ServiceException && error.name === "BucketAlreadyOwnedByYou")) throw error;
    }
  });
}

/** An object's text; `undefined` when there is none. */
export async function readObject(settings: ClusterSettings, Key: string): Promise<string | undefined> {
  return await withStore(settings, async (client, Bucket) => {
    try {
      return await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === "NoSuchKey") return undefined;
      throw error;
    }
  });
}

/** Writes an object, completely or not at all. */
export async function writeObject(settings: ClusterSettings, Key: string, Body: string): Promise<void> {
  await withStore(settings, (client, Bucket) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "application/json" })),
  );
}

/** The last file written of a checkpoint or savepoint: once it is there, that is complete. */
const METADATA = "/_metadata";

/** As many as the store removes with one request. */
const MOST_AT_ONCE = 1_000;
const OWN_SAVEPOINTS = "savepoints";

/** Where savepoints of one restart go: its own folder, so that whatever is in it is the right one. */
export const savepointFolder = ({ objectStore }: ClusterSettings, name: string): string =>
  `s3://${objectStore.bucket}/${OWN_SAVEPOINTS}/${name}`;

/** The complete savepoint below such a folder, if there is one. */
export async function savepointIn(settings: ClusterSettings, folder: string): Promise<string | undefined> {
  return await withStore(settings, async (client, Bucket) => {
    const root = `s3://${Bucket}/`;
    for await (const key of keysBelow(client, Bucket, `${folder.slice(root.length)}/`))
      if (key.endsWith(METADATA)) return root + key.slice(0, -METADATA.length);
    return undefined;
  });
}

/**
 * The newest checkpoint or savepoint that is complete, of any generation: what a job can go on from. It is chosen by
 * its number, which counts on from one generation to the next; in a store that was copied, when an object was written
 * says nothing.
 */
export async function newestComplete(settings: ClusterSettings): Promise<string | undefined> {
  return await withStore(settings, async (client, Bucket) => {
    let newest: { readonly key: string; readonly id: bigint } | undefined;
    for (const prefix of ["checkpoints/", "savepoints/"])
      for await (const key of keysBelow(client, Bucket, prefix)) {
        if (!key.endsWith(METADATA)) continue;
        const head = await client.send(
          new GetObjectCommand({ Bucket, Key: key, Range: `bytes=0-${METADATA_HEAD - 1}` }),
        );
        const id = checkpointId(await head.Body!.transformToByteArray());
        if (id !== undefined && (newest === undefined || id > newest.id)) newest = { key, id };
      }
    return newest && `s3://${Bucket}/${newest.key.slice(0, -METADATA.length)}`;
  });
}

/**
 * What earlier generations of the job have left: the savepoints that this project's commands took, and the checkpoints
 * of other jobs than this one. Flink removes neither.
 *
 * @param origin - what this job was started from: it is not among them, for a JobManager that leads again looks at it
 */
export async function leftoversOf(
  settings: ClusterSettings,
  jobId: string,
  origin: string | undefined,
): Promise<readonly string[]> {
  return await withStore(settings, async (client, Bucket) => {
    const found: string[] = [];
    const kept = [`checkpoints/${jobId}/`, ...(origin === undefined ? [] : [keptFor(origin, `s3://${Bucket}/`)])];
    for (const prefix of [`${OWN_SAVEPOINTS}/restart-`, "checkpoints/"])
      for await (const key of keysBelow(client, Bucket, prefix))
        if (!kept.some((one) => key.startsWith(one))) found.push(key);
    return found;
  });
}

/** A checkpoint needs what its job shares between them: all of that job's stays. */
function keptFor(origin: string, root: string): string {
  const [folder = "", job = ""] = origin.slice(root.length).split("/");
  return `${folder}/${job}/`;
}

/** Removes objects. @throws Error when the store could not remove some of them */
export async function removeObjects(settings: ClusterSettings, keys: readonly string[]): Promise<void> {
  await withStore(settings, async (client, Bucket) => {
    for (let at = 0; at < keys.length; at += MOST_AT_ONCE) {
      const Objects = keys.slice(at, at + MOST_AT_ONCE).map((Key) => ({ Key }));
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
      if (Errors.length > 0) throw new Error(`${Errors.length} objects were not removed: ${Errors[0]!.Message}`);
    }
  });
}

/**
 * What Flink's metadata begin with: a magic number, a version, and the checkpoint's number
 * (`MetadataV2V3SerializerBase`).
 */
const METADATA_MARK = 0x4960672d;
const METADATA_HEAD = 16;

/** The number in the first bytes of a checkpoint's metadata; `undefined` when they are something else. */
export function checkpointId(head: Uint8Array): bigint | undefined {
  if (head.length < METADATA_HEAD) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return view.getUint32(0) === METADATA_MARK ? view.getBigInt64(8) : undefined;
}

/**
 * Whether the store holds what Flink's high availability needs to go on: the handle of a completed checkpoint of this
 * generation.
 */
export async function holdsCheckpoint(settings: ClusterSettings): Promise<boolean> {
  return await withStore(settings, async (client, Bucket) => {
    for await (const key of keysBelow(client, Bucket, `${HA_FOLDER}/${clusterId(settings)}/`))
      if (key.includes("completedCheckpoint")) return true;
    return false;
  });
}
