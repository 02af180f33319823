import { z } from 'zod'
import { isFramingHeader } from './header-rules.ts'

/** What `http_request` can send; D0-035. */
export const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const

export type Method = (typeof methods)[number]

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is not an HTTP header name')
  .refine((name) => !isFramingHeader(name), 'is a header that HTTP itself sets')
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'holds a character no HTTP header may have')
const secret = headerValue.min(1)

const auth = z.union([
  z.strictObject({ bearer: secret.describe('Token, sent as `Authorization: Bearer …`.') }),
  z.strictObject({
    apiKey: secret.describe('Key, sent in a header of its own.'),
    header: headerName.default('X-API-Key').describe('The header that carries the key.'),
  }),
  z.strictObject({
    basic: z
      .strictObject({
        user: z
          .string()
          .regex(/^[^:]*$/, 'may not hold a colon')
          .describe('User name.'),
        password: z.string().describe('Password.'),
      })
      .describe('User name and password, sent as `Authorization: Basic …`.'),
  }),
])

const baseUrl = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}, 'must hold neither credentials nor a query nor a fragment')

const api = z.strictObject({
  baseUrl: baseUrl.describe('Where the API lives. Requests, and its credential, go below this URL only.'),
  description: z.string().optional().describe('What the API is for, told to the model.'),
  auth: auth
    .optional()
    .describe('The credential: one of `bearer`, `apiKey` or `basic`. Callers cannot change it.'),
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
  allowPrivate: z
    .union([z.boolean(), z.array(z.string())])
    .default(false)
    .describe(
      'Lets the API live on this machine or a private network: true, or a list of host names, addresses and CIDR blocks.',
    ),
})

/** One API, checked and with its defaults. */
export type ApiConfig = z.infer<typeof api>

/** The config of one `http` connection: its named APIs. */
export const httpConfig = z.strictObject({
  apis: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, `_`, `.` or `-`'), api)
    .refine((apis) => Object.keys(apis).length > 0, 'must name at least one API')
    .describe('The APIs, by the name callers give as `api_name`.'),
})

export type HttpConfig = z.infer<typeof httpConfig>
