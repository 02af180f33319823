import { z } from 'zod'
import { allowPrivateField } from './allow-private.ts'
import { authConfig } from './auth/auth-config.ts'
import { baseUrlField } from './base-url.ts'
import { headerName, headerValue } from './header-fields.ts'
import { methods } from './methods.ts'
import { openapiConfig } from './openapi/openapi-config.ts'
import { transportFields } from './transport-config.ts'
import { findTypedFaults, typedFields } from './typed/typed-config.ts'
import { webhooksConfig } from './webhooks/webhook-config.ts'

const api = z
  .strictObject({
    baseUrl: baseUrlField
      .optional()
      .describe('Where the API lives. Requests, and its credential, go below this URL only. Required.'),
    description: z.string().optional().describe('What the API is for, told to the model.'),
    auth: authConfig
      .optional()
      .describe('The credential: one of `bearer`, `apiKey`, `basic` or `oauth`. Callers cannot change it.'),
    headers: z
      .record(headerName, headerValue)
      .default({})
      .describe('Headers of every request. Callers may override all but those that carry a credential.'),
    methods: z
      .array(z.enum(methods))
      .nonempty()
      .default([...methods])
      .describe('The methods callers may use. All by default.'),
    timeoutMs: z
      .int()
      .min(1)
      .max(600_000)
      .default(30_000)
      .describe('Longest time one request may take, redirects included, in milliseconds.'),
    responseBytesMax: z
      .int()
      .min(1)
      .max(16 * 1024 * 1024)
      .default(1024 * 1024)
      .describe('Largest answer taken, in bytes.'),
    batchConcurrency: z
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe('How many requests of one `api_batch_request` are under way at the same time.'),
    ...transportFields,
    ...typedFields,
    openapi: openapiConfig
      .optional()
      .describe('Makes a tool of each operation that an OpenAPI document of the API describes.'),
    allowPrivate: allowPrivateField.describe(
      'Lets the API live on this machine or a private network: true, or a list of host names, addresses and CIDR blocks.',
    ),
  })
  .superRefine((config, context) => {
    // A document may name one, but only a person can say that a credential may go there.
    if (config.baseUrl === undefined && config.openapi === undefined)
      context.addIssue({ code: 'custom', path: ['baseUrl'], message: 'is missing' })
    for (const { path, message } of findTypedFaults(config))
      context.addIssue({ code: 'custom', path, message })
  })

/** One API, checked and with its defaults. */
export type ApiConfig = z.infer<typeof api>

/** Each is asked whether it is up every few seconds. */
const apisMax = 100

/** The config of one `http` connection: its named APIs, and where its webhooks may go. */
export const httpConfig = z
  .strictObject({
    apis: z
      .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, `_`, `.` or `-`'), api)
      .refine((apis) => Object.keys(apis).length <= apisMax, `must name at most ${apisMax} APIs`)
      .default({})
      .describe(
        'The APIs, by the name callers give as `api_name`. At least one, unless there are `webhooks`.',
      ),
    webhooks: webhooksConfig
      .optional()
      .describe(
        'Lets callers send webhooks, with `webhook_send`. `webhooks: {}` is enough for unsigned ones to public hosts.',
      ),
  })
  .superRefine((config, context) => {
    if (Object.keys(config.apis).length > 0 || config.webhooks !== undefined) return
    context.addIssue({ code: 'custom', path: ['apis'], message: 'must name at least one API' })
  })

export type HttpConfig = z.infer<typeof httpConfig>
