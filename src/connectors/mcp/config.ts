import { z } from 'zod'
import { headersSchema } from '../shared/headers-schema.ts'
import { authConfig } from './oauth/auth-config.ts'

/** One upstream MCP server: a command to run, or a URL to call. */
export const mcpConfig = z
  .strictObject({
    command: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Program that speaks MCP over stdio. Run as it is, never through a shell. Either this or `url`.',
      ),
    args: z.array(z.string()).default([]).describe('Arguments of the command, each passed on as it is.'),
    env: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        'Environment variables of the command. Beside these it inherits only PATH, HOME, SHELL, TERM, USER, LOGNAME, LANG and TMPDIR.',
      ),
    cwd: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Working directory of the command; relative to the config file, whose folder is the default.',
      ),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Endpoint of a server that speaks MCP over Streamable HTTP. Either this or `command`.'),
    headers: headersSchema.describe('Headers of every request to `url`; credentials belong here.'),
    auth: authConfig
      .optional()
      .describe(
        'How Weir obtains tokens for `url` by OAuth. Without it `weir auth` has one person agree for everybody, where the server asks for that.',
      ),
    allowPrivate: z
      .union([z.boolean(), z.array(z.string())])
      .default(false)
      .describe(
        'Whether `url`, and the authorization server that it names, may lie on loopback or in a private network; a list names the hosts or CIDR blocks that may.',
      ),
    timeout: z
      .int()
      .min(1)
      .max(86_400_000)
      .default(30_000)
      .describe('Longest time one call may take, in milliseconds.'),
    startTimeout: z
      .int()
      .min(1)
      .max(600_000)
      .default(60_000)
      .describe('Longest time the server may take to start and list its tools, in milliseconds.'),
    isolation: z
      .enum(['shared', 'caller'])
      .default('shared')
      .describe(
        '`shared`: all callers use one connection. `caller`: each gets one of its own, opened by its first call, for servers that keep state of their user.',
      ),
    callersMax: z
      .int()
      .min(1)
      .max(1_000)
      .default(64)
      .describe(
        'With `isolation: caller` or `auth.per: caller`, how many callers may have a connection of their own at once.',
      ),
    era: z
      .enum(['auto', 'modern', 'legacy'])
      .default('auto')
      .describe(
        'Protocol era of the server: `modern` is revision 2026-07-28, `legacy` any older one; `auto` finds out.',
      ),
    roots: z
      .array(z.string().regex(/^file:\/\//, 'must begin with file://'))
      .max(100)
      .optional()
      .describe(
        'What an old server is told when it asks for its roots: `file://` URIs. Without it the client whose call is under way is asked, where it knows roots; else there are none.',
      ),
  })
  .superRefine((config, context) => {
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (config.command === undefined && config.url === undefined) {
      complain('command', 'a connection of type mcp needs a `command` or a `url`')
    }
    if (config.command !== undefined && config.url !== undefined) {
      complain('url', 'a connection has a `command` or a `url`, not both')
    }
    if (config.url !== undefined) {
      if (config.args.length > 0) complain('args', 'belongs to a `command`, and this connection has a `url`')
      if (Object.keys(config.env).length > 0)
        complain('env', 'belongs to a `command`, and this connection has a `url`')
      if (config.auth !== undefined && hasAuthorization(config))
        complain('auth', 'is for tokens that Weir obtains, and `headers` holds an Authorization')
      if (config.cwd !== undefined) complain('cwd', 'belongs to a `command`, and this connection has a `url`')
    } else {
      if (Object.keys(config.headers).length > 0) complain('headers', 'belongs to a `url`')
      if (config.auth !== undefined) complain('auth', 'belongs to a `url`')
      if (config.allowPrivate !== false) complain('allowPrivate', 'belongs to a `url`')
    }
  })

export type McpConfig = z.output<typeof mcpConfig>

/** Whether the operator has put a credential into the header that a token would go into. */
export function hasAuthorization({ headers }: Pick<McpConfig, 'headers'>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')
}
