import { z } from 'zod'
import { auditSchema } from './audit-schema.ts'
import { authSchema, rolesSchema } from './auth-schema.ts'
import { durationSchema } from './duration.ts'
import { doorSchema, policyPattern, policySchema } from './policy-schema.ts'
import type { Secrets } from './secrets.ts'
import { telemetrySchema } from './telemetry-schema.ts'
import { toolsetSchema } from './toolset-schema.ts'

/** Longest connection or toolset name. */
const nameCharsMax = 64
/** Names that are words of the REST dialect's own URLs. */
const reservedNames: ReadonlySet<string> = new Set(['discover', 'execute'])

/** A connection's name; toolsets share the namespace. */
export const nameSchema = z
  .string()
  .max(nameCharsMax, `a name has at most ${nameCharsMax} characters`)
  .regex(/^[a-z0-9-]+$/, 'a name is made of a-z, 0-9 and -')
  .refine((name) => !reservedNames.has(name), 'this name is reserved')

const serverSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('The address to listen on. Without authentication Weir serves loopback addresses only.'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(8000)
    .describe('The TCP port to listen on. 0 takes any free one and says which.'),
  allowedHosts: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Host names that requests may name in their Host header beside loopback ones, as in `weir.example:8000`. Others are refused, which stops DNS rebinding.',
    ),
  allowedOrigins: z
    .array(z.string().regex(/^(?:[a-z][a-z0-9+.-]*:\/\/[^\s/]+|null)$/, 'an origin is scheme://host[:port]'))
    .default([])
    .describe(
      'Origins of web pages that may call Weir, as in `https://app.example`. Requests from other pages are refused; programs that are no browsers send none.',
    ),
  callsMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe(
      'Calls of the whole process at once. Further requests over HTTP are answered 503 with Retry-After before they are read.',
    ),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^?#]+[^/?#]$/, 'a public URL has no slash, query or fragment at its end')
    .optional()
    .describe(
      'The URL that clients reach Weir by where another server stands in front of it, as in `https://weir.example`. Default: the host that a request names.',
    ),
  toolset: z
    .string()
    .optional()
    .describe(
      'The toolset that `/mcp` and stdio serve in place of everything. Its own URL serves it too, and connections keep theirs.',
    ),
  rateLimit: doorSchema
    .default([])
    .describe(
      'How many requests are let in, whatever they ask for, as in `{ limit: 50/second, burst: 100 }`; beyond, they are refused unread. One limit, or a list of which all hold; each process counts for itself. Default: none.',
    ),
  sessionKey: z
    .string()
    .min(32, 'a session key has at least 32 characters; `openssl rand -hex 32` makes one')
    .optional()
    .describe(
      'The secret that signs session ids and what questions carry back. Processes that share it take over each other’s sessions. Default: a new one at every start.',
    ),
})

const logSchema = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The mildest message that is written. The log goes to stderr.'),
  format: z
    .enum(['json', 'pretty'])
    .default('json')
    .describe('`json`: one object a line, for machines. `pretty`: for people at a terminal.'),
})

const storeSchema = z.strictObject({
  url: z
    .string()
    .regex(/^sqlite:(?!\/\/)./, 'a store is sqlite:path/to/file.db, or sqlite::memory: to keep nothing')
    .default('sqlite:.weir/weir.db')
    .describe(
      'Where Weir keeps what outlives it: `sqlite:` and a file, whose folder is made where it is missing, or `sqlite::memory:` to keep nothing.',
    ),
})

const approvalsSchema = z.strictObject({
  hold: durationSchema
    .default(55_000)
    .describe(
      'How long a call waits for a decision before it answers that there is none yet. Many clients give up after 60 s.',
    ),
  expiry: durationSchema
    .default(60 * 60_000)
    .describe('How long a request for approval stands, from the call that made it.'),
})

/** What every connection may say, whichever connector it is of. */
export const sharedConnectionFields = {
  pinning: z
    .enum(['allow', 'warn', 'quarantine'])
    .optional()
    .describe(
      'What happens to a definition of an upstream that is new, or not the approved one. `allow`: it is served. `warn`, the default: it is served, and the log shows the difference. `quarantine`: it is not served until `weir pins approve`.',
    ),
  trustFirst: z
    .boolean()
    .optional()
    .describe(
      'With `pinning: quarantine`, whether the first that the connection ever offers is approved by itself. Default: true.',
    ),
  start: z
    .enum(['eager', 'lazy'])
    .optional()
    .describe(
      '`eager`, the default: opened when Weir starts. `lazy`: opened by its first call, once Weir remembers from an earlier start what it offers.',
    ),
  idleTimeout: durationSchema
    .optional()
    .describe(
      'With `start: lazy`, how long a process may be without a call before it is ended until the next one. Default: for ever.',
    ),
}

const redisSchema = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\/[^\s/?#]+(?:\/\d{0,4})?$/, 'must be redis://[user:password@]host[:port][/number]')
    .describe('Where it is: `redis://[user:password@]host[:port][/number]`, or `rediss:` for TLS.'),
  prefix: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, 'a prefix is made of letters, digits and _ . : -')
    .default('weir:')
    .describe('What all its keys and channels there begin with. Weirs with the same prefix share.'),
})

const stringMap = z.record(z.string(), z.string())

/** One server as Claude Code, Claude Desktop, Cursor and VS Code write it. Clients add keys of their own. */
export const clientServerSchema = z.looseObject({
  type: z
    .enum(['stdio', 'http', 'sse', 'streamable-http'])
    .optional()
    .describe('How the server is reached. Without it: by its command, or else by its URL.'),
  command: z.string().min(1).optional().describe('The program to start. It speaks MCP on stdin and stdout.'),
  args: z
    .array(z.string())
    .optional()
    .describe('The program’s arguments, passed as they are, without a shell.'),
  env: stringMap
    .optional()
    .describe('Environment variables of the program, beside the few that every one gets.'),
  cwd: z.string().min(1).optional().describe('The folder the program starts in.'),
  url: z.string().min(1).optional().describe('The server’s URL, for Streamable HTTP or SSE.'),
  headers: stringMap.optional().describe('Headers sent with every request to the URL.'),
  disabled: z.boolean().optional().describe('True leaves this server out.'),
})

/** The blocks in the clients' own format. */
export const clientBlocks = ['mcpServers', 'servers'] as const

/** Whether a top-level key of the file holds servers in a client's own format. */
export function isClientBlock(key: unknown): boolean {
  return clientBlocks.some((block) => block === key)
}

const clientServersSchema = z.record(z.string().min(1), clientServerSchema)

/** The file, all but what each connector says about its own connections. */
export const fileSchema = z.strictObject({
  $schema: z.string().optional().describe('Where editors find the schema of this file. Weir ignores it.'),
  connections: z
    .record(nameSchema, z.looseObject(sharedConnectionFields))
    .default({})
    .describe(
      'The systems that agents reach, by name. The name is the first half of every tool id, `{connection}:{tool}`; it is made of a-z, 0-9 and -.',
    ),
  mcpServers: clientServersSchema
    .default({})
    .describe(
      'MCP servers in the format of Claude and Cursor, as they are; each becomes a connection of type `mcp`. Names become lower-case, other characters a dash.',
    ),
  servers: clientServersSchema
    .default({})
    .describe('MCP servers in the format of VS Code; otherwise the same as `mcpServers`.'),
  inputs: z
    .array(z.unknown())
    .optional()
    .describe('VS Code’s questions to its user. Weir ignores them; use variables, `${VAR}`.'),
  policies: z
    .record(policyPattern, policySchema)
    .default({})
    .describe(
      'Rules for calls, by tool id or pattern: `database:execute_query`, `database:*`, `*:execute_query`, `*`. Exact beats pattern beats connection beats default.',
    ),
  redis: redisSchema
    .optional()
    .describe(
      'A Redis over which several Weirs share limits and cached answers. While it is away each goes on by itself. Default: none.',
    ),
  toolsets: z
    .record(nameSchema, toolsetSchema)
    .default({})
    .describe(
      'Selections of tools, prompts and resources by name, each served at `/mcp/{name}`. Names are like those of connections, and none may be both.',
    ),
  roles: rolesSchema
    .default({})
    .describe('What callers may do, by the name of their role. Without `auth` nobody has one.'),
  auth: authSchema
    .optional()
    .describe(
      'How callers prove who they are. Without it Weir serves loopback only, and everybody there is this machine’s user, who may do everything.',
    ),
  server: serverSchema.prefault({}).describe('Where Weir listens, and whom it answers.'),
  log: logSchema.prefault({}).describe('What Weir writes about its own work.'),
  telemetry: telemetrySchema
    .prefault({})
    .describe('What Weir tells of its own work beside its log and `/metrics`.'),
  approvals: approvalsSchema
    .prefault({})
    .describe('How calls wait that somebody has to approve (`confirm` in their policy).'),
  store: storeSchema
    .prefault({})
    .describe('What outlives Weir’s process: approved definitions, tokens it fetched, last-known tools.'),
  audit: auditSchema.prefault({}).describe('What is kept of who did what.'),
})

/** One connection: which connector, and the config that connector has checked. */
export interface ConnectionConfig {
  readonly type: string
  readonly config: unknown
  /** What is done with definitions that are not the approved ones; absent: `warn`. */
  readonly pinning?: 'allow' | 'warn' | 'quarantine'
  /** Whether the first that it ever offers is approved by itself; absent: true. */
  readonly trustFirst?: boolean
  /** Opened by its first call. */
  readonly isLazy?: boolean
  /** Closed again after so long without a call. */
  readonly idleMs?: number
}

/** Everything checked and defaulted. Maps have no prototype: a name that is not there is undefined. */
export interface Config {
  readonly connections: Readonly<Record<string, ConnectionConfig>>
  /** By tool id or pattern, in the file's order. */
  readonly policies: Readonly<Record<string, z.output<typeof policySchema>>>
  readonly toolsets: Readonly<Record<string, z.output<typeof toolsetSchema>>>
  readonly roles: Readonly<z.output<typeof rolesSchema>>
  /** Absent: no authentication. */
  readonly auth?: Readonly<z.output<typeof authSchema>>
  readonly server: Readonly<z.output<typeof serverSchema>>
  readonly log: Readonly<z.output<typeof logSchema>>
  readonly telemetry: Readonly<z.output<typeof telemetrySchema>>
  readonly store: Readonly<z.output<typeof storeSchema>>
  readonly audit: Readonly<z.output<typeof auditSchema>>
  readonly approvals: Readonly<z.output<typeof approvalsSchema>>
  /** Where it is, and what its keys begin with. */
  readonly redis?: Readonly<z.output<typeof redisSchema>>
}

/** A configuration, and what is known about it. */
export interface LoadedConfig {
  readonly config: Config
  /** Everything in it that must not be printed. */
  readonly secrets: Secrets
  /** What is valid and probably not meant, one line each, with its place in the file; redacted. */
  readonly warnings: readonly string[]
  /** The file's folder, absolute; relative paths in it start here. */
  readonly baseDir: string
  /** The file, absolute. */
  readonly path: string
}
