import { z } from 'zod'
import { defineConnector } from '../core/connector.ts'
import { WeirError } from '../core/error.ts'
import type { LoadedConfig } from './config.ts'
import { parseConfig } from './load.ts'

const open = () => Promise.reject(new Error('never opened here'))
const database = z.strictObject({
  url: z.string(),
  write: z.boolean().default(false),
  pool: z.int().max(10).optional(),
  mode: z.enum(['ro', 'rw']).optional(),
})
const sql = defineConnector({
  type: 'sql',
  summary: 'SQL databases',
  config: z.strictObject({
    databases: z.record(z.string(), z.union([z.string(), database])).default({}),
    auth: z.union([z.string(), z.strictObject({ bearer: z.string() })]).optional(),
    tags: z.array(z.strictObject({ name: z.string() })).optional(),
  }),
  open,
})
// Deliberately not strict: an unknown key must be an error all the same.
const lax = defineConnector({
  type: 'lax',
  summary: 'A connector that forgot to be strict',
  config: z.object({ retries: z.number().optional(), inner: z.object({ depth: z.number() }).optional() }),
  open,
})
const byHand = defineConnector({
  type: 'by-hand',
  summary: 'Checks by hand',
  config: z.strictObject({ key: z.string().optional() }).transform((value) => {
    if (value.key === 'crash') throw new TypeError('canary-of-a-crash')
    if (value.key !== undefined) throw new WeirError('CONFIG_INVALID', `the key ${value.key} is no good`)
    return value
  }),
  open,
})
// Its schema is an alternative at the top, as the real one's may be.
const mcp = defineConnector({
  type: 'mcp',
  summary: 'MCP servers',
  config: z.union([
    z.strictObject({
      command: z.string(),
      args: z.array(z.string()).default([]),
      env: z.record(z.string(), z.string()).optional(),
      cwd: z.string().optional(),
    }),
    z.strictObject({
      url: z.url(),
      headers: z.record(z.string(), z.string()).optional(),
      allowPrivate: z.boolean().default(false),
    }),
  ]),
  open,
})

/** Small real connectors for the tests of this folder. */
export const connectors = [sql, lax, byHand, mcp]

/** Parses `text` as /etc/weir/weir.yaml; `files` are by absolute path. */
export function parse(
  text: string,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): LoadedConfig {
  const readFile = (path: string) => {
    if (files[path] === undefined) throw new Error('it does not exist')
    return files[path]
  }
  return parseConfig({ text, path: '/etc/weir/weir.yaml', env, connectors, readFile })
}

/** The error that `text` is refused with; any other error is thrown on. */
export function refusal(text: string, env: Record<string, string> = {}): WeirError {
  try {
    parse(text, env)
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('the text was accepted')
}

/** The refusal's lines without the file's name. */
export function lines(text: string, env: Record<string, string> = {}): string[] {
  return refusal(text, env).message.replaceAll('/etc/weir/weir.yaml:', '').split('\n')
}
