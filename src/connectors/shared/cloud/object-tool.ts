import { z } from 'zod'
import type { RunContext, Tool } from '../../../core/tool.ts'
import { createAllowList } from './allow-list.ts'
import { getObject } from './get-object.ts'
import { listObjects } from './list-objects.ts'
import type { ObjectPlace, ObjectStore } from './object-store.ts'
import type { ObjectStoreLimits } from './object-store-config.ts'
import { createOperationTool, type Operation } from './operation-tool.ts'
import { readNewObject } from './read-new-object.ts'
import { messageField, successField } from './tool-fields.ts'

const output = z.strictObject({
  objects: z.array(z.string()).optional().describe('list: the keys, in order.'),
  truncated: z.boolean().optional().describe('list: true where there are more.'),
  continuation: z.string().optional().describe('list: give it with the next list to go on after these.'),
  content: z.string().optional().describe('get: the object as text.'),
  content_base64: z.string().optional().describe('get: the object as base64, where it is no text.'),
  media_type: z.string().optional().describe('get: what it says it is.'),
  size: z.int().optional().describe('get: its size in bytes.'),
  last_modified: z.string().optional().describe('get: when it was written, ISO 8601.'),
  metadata: z.record(z.string(), z.string()).optional().describe('get: the metadata given with it.'),
  success: successField,
  message: messageField,
})

/** What differs between clouds. */
export interface ObjectToolParts {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly store: ObjectStore
  readonly limits: ObjectStoreLimits
  /** What the cloud calls a container: the name of the tool's parameter. */
  readonly containerKind: 'bucket' | 'container'
  /** What such a name may look like. A name and nothing else: it must not choose a host or a path by itself. */
  readonly containerPattern: RegExp
  /** What a key of metadata may look like. */
  readonly metadataPattern: RegExp
  /** The containers on offer, as globs. */
  readonly containers: readonly string[]
  /** Where these settings stand in the connection's config, with a dot at its end; empty at the top. */
  readonly configPrefix: string
  /** The parameter `region`, where the store has regions. */
  readonly region?: z.ZodType
}

/** What the schema and the table let through; each operation reads those that it says it takes. */
interface ObjectInput {
  readonly key: string
  readonly content?: string
  readonly content_base64?: string
  readonly media_type?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly prefix?: string
  readonly limit?: number
  readonly continuation?: string
}

/** The tool by which callers read and write objects: the same parameters and the same answers for every cloud. */
export function createObjectTool(parts: ObjectToolParts): Tool {
  return createOperationTool({
    name: parts.name,
    title: parts.title,
    description: parts.description,
    fields: createFields(parts),
    operations: createOperations(parts),
    allowed: parts.limits.operations,
    output,
  }) as Tool
}

function createFields({ containerKind, containerPattern, metadataPattern, region }: ObjectToolParts) {
  return {
    [containerKind]: z.string().regex(containerPattern).describe(`Name of the ${containerKind}.`),
    key: z
      .string()
      .min(1)
      .max(1_024)
      .refine((key) => key.isWellFormed(), 'is not well-formed Unicode')
      .describe('Key of the object. For get, put and delete.'),
    content: z.string().describe('put: the object as text.'),
    content_base64: z.string().describe('put: the object as base64, instead of `content`.'),
    media_type: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/)
      .describe('put: what it is, such as application/json. Default: plain text, or bytes for base64.'),
    metadata: z
      .record(z.string().regex(metadataPattern), z.string().regex(/^[\x20-\x7e]{0,1000}$/))
      .describe('put: metadata to keep with it.'),
    prefix: z.string().max(1_024).describe('list: only keys that begin with it.'),
    limit: z.int().min(1).max(100_000).describe('list: the most keys to answer with.'),
    continuation: z.string().min(1).max(4_096).describe('list: where an earlier list said to go on.'),
    ...(region === undefined ? {} : { region }),
  }
}

function createOperations(parts: ObjectToolParts): Readonly<Record<string, Operation>> {
  const { store, limits, containerKind: kind, configPrefix } = parts
  const allowed = createAllowList(kind, `${configPrefix}${kind}s`, parts.containers)
  const own = parts.region === undefined ? [] : ['region']
  const bytesKey = `${configPrefix}objectBytesMax`
  /** Refuses containers before anything else is looked at. */
  const within =
    (run: (place: ObjectPlace, input: ObjectInput, context: RunContext) => ReturnType<Operation['run']>) =>
    async (input: Readonly<Record<string, unknown>>, context: RunContext) => {
      const place = { container: input[kind] as string, region: input['region'] as string | undefined }
      allowed(place.container)
      return await run(place, input as unknown as ObjectInput, context)
    }
  return {
    list: {
      effect: 'read',
      summary: `the keys of \`${kind}\`, those below \`prefix\` alone if it is given`,
      required: [kind],
      optional: ['prefix', 'limit', 'continuation', ...own],
      run: within((place, input, context) => listObjects(store, place, input, limits.objectsMax, context)),
    },
    get: {
      effect: 'read',
      summary: 'the object under `key`, as text or base64',
      required: [kind, 'key'],
      optional: own,
      run: within((place, { key }, context) =>
        getObject(store, place, key, { bytesMax: limits.objectBytesMax, bytesKey, kind }, context),
      ),
    },
    put: {
      // What stood under the key before is gone.
      effect: 'destructive',
      summary: 'writes `content` or `content_base64` under `key`, over what stands there',
      required: [kind, 'key'],
      optional: ['content', 'content_base64', 'media_type', 'metadata', ...own],
      run: within(async (place, { key, ...given }, context) => {
        await store.put(place, key, readNewObject(given, limits.objectBytesMax, bytesKey), context)
        return { success: true, message: `Object ${key} uploaded to ${place.container}` }
      }),
    },
    delete: {
      effect: 'destructive',
      summary: 'deletes the object under `key`; one that is not there is no error',
      required: [kind, 'key'],
      optional: own,
      run: within(async (place, { key }, context) => {
        await store.delete(place, key, context)
        return { success: true, message: `Object ${key} deleted from ${place.container}` }
      }),
    },
  }
}
