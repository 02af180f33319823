import type { GetObjectCommandOutput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { z } from 'zod'
import { WeirError } from '../../core/error.ts'
import type { Tool } from '../../core/tool.ts'
import { createAllowList } from './allow-list.ts'
import type { Abortable, AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { decodeBase64 } from './decode-base64.ts'
import { createOperationTool, operationsOn } from './operation-tool.ts'
import { isTextual, renderBody } from './render-body.ts'
import { createRegionField, messageField, successField } from './tool-fields.ts'

const pageMax = 1_000
/** A page may be empty and not the last, so they are counted too. */
const pagesMax = 200

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

function createFields(region: string) {
  return {
    // A bucket is a name and nothing else: an ARN would choose host and region by itself.
    bucket: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/)
      .describe('Name of the bucket.'),
    key: z.string().min(1).max(1_024).describe('Key of the object. For get, put and delete.'),
    content: z.string().describe('put: the object as text.'),
    content_base64: z.string().describe('put: the object as base64, instead of `content`.'),
    media_type: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/)
      .describe('put: what it is, such as application/json. Default: plain text, or bytes for base64.'),
    metadata: z
      .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/), z.string().regex(/^[\x20-\x7e]{0,1000}$/))
      .describe('put: metadata to keep with it.'),
    prefix: z.string().max(1_024).describe('list: only keys that begin with it.'),
    limit: z.int().min(1).max(100_000).describe('list: the most keys to answer with.'),
    continuation: z.string().min(1).max(4_096).describe('list: where an earlier list said to go on.'),
    region: createRegionField(region),
  }
}

/** The tool `s3_operations` (D0-052 to D0-055). */
export function createS3Operations(
  clients: AwsClients,
  config: AwsConfig,
  s3: NonNullable<AwsConfig['s3']>,
): Tool {
  const fields = createFields(config.region)
  const define = operationsOn(fields)
  const allowed = createAllowList('bucket', 's3.buckets', s3.buckets)
  const at = { clients, s3, region: config.region }
  const operations = {
    list: define({
      effect: 'read',
      summary: 'the keys of `bucket`, those below `prefix` alone if it is given',
      required: ['bucket'],
      optional: ['prefix', 'limit', 'continuation', 'region'],
      async run(input, context) {
        allowed(input.bucket)
        return await listObjects(at, input, context)
      },
    }),
    get: define({
      effect: 'read',
      summary: 'the object under `key`, as text or base64',
      required: ['bucket', 'key'],
      optional: ['region'],
      async run(input, context) {
        allowed(input.bucket)
        return await getObject(at, input, context)
      },
    }),
    put: define({
      // What stood under the key before is gone.
      effect: 'destructive',
      summary: 'writes `content` or `content_base64` under `key`, over what stands there',
      required: ['bucket', 'key'],
      optional: ['content', 'content_base64', 'media_type', 'metadata', 'region'],
      async run({ bucket, key, region = config.region, metadata, ...given }, context) {
        allowed(bucket)
        const body = readBody(given, s3.objectBytesMax)
        const extra = metadata === undefined ? {} : { Metadata: metadata }
        await clients.send('s3', region, context, (client, options) =>
          client.putObject({ Bucket: bucket, Key: key, ...body, ...extra }, options),
        )
        return { success: true, message: `Object ${key} uploaded to ${bucket}` }
      },
    }),
    delete: define({
      effect: 'destructive',
      summary: 'deletes the object under `key`; one that is not there is no error',
      required: ['bucket', 'key'],
      optional: ['region'],
      async run({ bucket, key, region = config.region }, context) {
        allowed(bucket)
        await clients.send('s3', region, context, (client, options) =>
          client.deleteObject({ Bucket: bucket, Key: key }, options),
        )
        return { success: true, message: `Object ${key} deleted from ${bucket}` }
      },
    }),
  }
  return createOperationTool({
    name: 's3_operations',
    title: 'S3 objects',
    description: 'Works with objects in Amazon S3. Operations:',
    fields,
    operations,
    allowed: s3.operations,
    output,
  }) as Tool
}

interface At {
  readonly clients: AwsClients
  readonly s3: NonNullable<AwsConfig['s3']>
  readonly region: string
}

interface ListInput {
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly limit?: number | undefined
  readonly continuation?: string | undefined
  readonly region?: string | undefined
}

/** All pages up to the bound (B-16). */
async function listObjects({ clients, s3, region: own }: At, input: ListInput, context: Abortable) {
  const { bucket, prefix, limit = s3.objectsMax, region = own } = input
  const most = Math.min(limit, s3.objectsMax)
  const objects: string[] = []
  let [continuation, pages] = [input.continuation, 0]
  do {
    const request = {
      Bucket: bucket,
      MaxKeys: Math.min(pageMax, most - objects.length),
      // Keys may hold characters that XML cannot.
      EncodingType: 'url' as const,
      ...(prefix === undefined ? {} : { Prefix: prefix }),
      ...(continuation === undefined ? {} : { ContinuationToken: continuation }),
    }
    const page = await clients.send('s3', region, context, (client, options) =>
      client.listObjectsV2(request, options),
    )
    objects.push(...readKeys(page))
    continuation = page.NextContinuationToken
    pages += 1
  } while (continuation !== undefined && objects.length < most && pages < pagesMax)
  return {
    objects,
    truncated: continuation !== undefined,
    ...(continuation === undefined ? {} : { continuation }),
  }
}

function readKeys({ Contents = [], EncodingType }: ListObjectsV2CommandOutput): string[] {
  const keys = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
  return EncodingType === 'url' ? keys.map((key) => decodeURIComponent(key.replaceAll('+', ' '))) : keys
}

interface GetInput {
  readonly bucket: string
  readonly key: string
  readonly region?: string | undefined
}

async function getObject({ clients, s3, region: own }: At, input: GetInput, context: Abortable) {
  const { bucket, key, region = own } = input
  try {
    const object = await clients.send('s3', region, context, async (client, options) => {
      const answer = await client.getObject({ Bucket: bucket, Key: key }, options)
      return { answer, body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) }
    })
    if (object.body.length > s3.objectBytesMax) throw tooLarge(key, bucket, s3.objectBytesMax)
    return renderObject(object.answer, object.body)
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.code !== 'RESPONSE_TOO_LARGE') throw thrown
    throw tooLarge(key, bucket, s3.objectBytesMax)
  }
}

function renderObject(answer: GetObjectCommandOutput, body: Buffer) {
  const { ContentType, LastModified, Metadata = {} } = answer
  return {
    ...renderBody(body, ContentType),
    size: body.length,
    ...(LastModified === undefined ? {} : { last_modified: LastModified.toISOString() }),
    metadata: Metadata,
  }
}

function tooLarge(key: string, bucket: string, bytesMax: number): WeirError {
  return new WeirError('RESPONSE_TOO_LARGE', `Object ${key} in ${bucket} is larger than ${bytesMax} bytes.`, {
    hint: 'An operator can raise `s3.objectBytesMax`.',
    data: { key, bucket, objectBytesMax: bytesMax, sent: true },
  })
}

interface Body {
  readonly content?: string | undefined
  readonly content_base64?: string | undefined
  readonly media_type?: string | undefined
}

function readBody({ content, content_base64: base64, media_type: mediaType }: Body, bytesMax: number) {
  if ((content === undefined) === (base64 === undefined)) {
    throw new WeirError('INVALID_INPUT', 'put needs one of content and content_base64.', {
      hint: 'Give text as `content`, other bytes as `content_base64`; an empty text makes an empty object.',
      data: { sent: false },
    })
  }
  const body = base64 === undefined ? Buffer.from(content ?? '') : decodeBase64(base64, 'content_base64')
  if (body.length > bytesMax) {
    throw new WeirError(
      'INVALID_INPUT',
      `The object has ${body.length} bytes, and ${bytesMax} are allowed.`,
      {
        hint: 'An operator can raise `s3.objectBytesMax`.',
        data: { objectBytesMax: bytesMax, sent: false },
      },
    )
  }
  const plain = base64 === undefined ? 'text/plain; charset=utf-8' : 'application/octet-stream'
  return {
    Body: body,
    ContentType: mediaType === undefined ? plain : nameCharset(mediaType, base64 === undefined),
  }
}

/** Text is sent as UTF-8, so that is what it is said to be. */
function nameCharset(mediaType: string, isText: boolean): string {
  const isBare = /^text\//i.test(mediaType) && !/;\s*charset=/i.test(mediaType)
  return isText && isBare && isTextual(mediaType) ? `${mediaType}; charset=utf-8` : mediaType
}
