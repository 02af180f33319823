import type { Base } from '../app.ts'
import type { Pending, Result } from '../core/outcome.ts'
import { isObject } from '../core/parse-json.ts'
import type { JsonSchema } from '../core/schema.ts'
import type { Failure } from './output.ts'

/** How long somebody who listens on our port may take to say that it is alive. */
const aliveMs = 300
/** A Weir that has just started waits for its connections before it lists them. */
const listMs = 5_000
const listBytesMax = 16 * 1024 * 1024

/** A tool of the running Weir. */
export interface RunningTool {
  /** `{connection}:{tool}`. */
  readonly id: string
  readonly connection: string
  /** Absent where the Weir that was asked does not say. */
  readonly effect?: string
  readonly category?: string
  readonly description: string
  readonly input: JsonSchema
}

/** What tools are looked for, by the names of the URL’s query. */
export interface ToolQuery {
  readonly search?: string
  readonly category?: string
}

/** How a call through the running Weir ended. */
export type RunningOutcome =
  | { readonly result: Result; readonly degraded?: string }
  | { readonly failure: Failure }
  | { readonly pending: Pending }

/** The Weir that listens where this configuration's Weir would. */
export interface RunningWeir {
  readonly url: string
  readonly tools: readonly RunningTool[]
  /** Every connection, those without tools too. */
  readonly connections: readonly string[]
  /** The tools that a search finds, best first. Rejects where the answer never came. */
  find(query: ToolQuery): Promise<readonly RunningTool[]>
  /** Runs one tool. Rejects where the answer never came. */
  call(id: string, input: unknown, options: CallOptions): Promise<RunningOutcome>
}

interface CallOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** Asks whoever listens there who it is; undefined where nobody does, or somebody else. */
export async function findRunningWeir(
  egress: Base['egress'],
  at: { readonly host: string; readonly port: number },
): Promise<RunningWeir | undefined> {
  if (at.port === 0) return undefined
  const url = `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`
  const client = egress.client({ name: 'cli', allowPrivate: true, connectTimeoutMs: aliveMs })
  const read = async (path: string, totalTimeoutMs: number): Promise<unknown> => {
    const options = { totalTimeoutMs, responseBytesMax: listBytesMax, headers: credential() }
    const response = await client.request(`${url}${path}`, options)
    return JSON.parse(response.body.toString('utf8'))
  }
  const discovery = await read('/livez', aliveMs)
    .then((alive) =>
      isObject(alive) && alive['status'] === 'alive' ? read('/mcp/discover', listMs) : undefined,
    )
    .catch(() => undefined)
  if (!isObject(discovery) || discovery['server_name'] !== 'weir') return undefined
  return {
    url,
    tools: listOf(discovery['tools']).map(readTool),
    connections: listOf(discovery['capabilities']).map(String),
    async find(query) {
      const found = await read(`/mcp/discover?${new URLSearchParams({ ...query })}`, listMs)
      return listOf(isObject(found) ? found['tools'] : undefined).map(readTool)
    },
    async call(id, input, { signal, timeoutMs }) {
      const response = await client.request(`${url}/mcp/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...credential() },
        body: JSON.stringify({ tools: [{ tool_slug: id, arguments: input }] }),
        signal,
        headersTimeoutMs: timeoutMs,
        totalTimeoutMs: timeoutMs,
      })
      return readOutcome(JSON.parse(response.body.toString('utf8')))
    },
  }
}

/** What the running Weir knows this command by, where it asks. */
function credential(): Readonly<Record<string, string>> {
  const token = process.env['WEIR_TOKEN']
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function readTool(value: unknown): RunningTool {
  const tool = isObject(value) ? value : {}
  const { name, description, effect, category, input_schema: input } = tool
  const id = String(name)
  return {
    id,
    ...(typeof effect === 'string' ? { effect } : {}),
    ...(typeof category === 'string' ? { category } : {}),
    description: String(description),
    connection: id.slice(0, Math.max(0, id.indexOf(':'))),
    input: isObject(input) ? input : {},
  }
}

/** The one item's own outcome, or that of the whole request. */
function readOutcome(body: unknown): RunningOutcome {
  const whole = isObject(body) ? body : {}
  const data = isObject(whole['data']) ? whole['data'] : {}
  const item = listOf(data['results'])[0] ?? whole
  if (!isObject(item)) return { failure: { message: 'The running Weir gave an answer of another form.' } }
  if (item['successful'] === true) {
    const { degraded_reason: degraded } = item
    return {
      result: readResponse(item['response']),
      ...(typeof degraded === 'string' ? { degraded } : {}),
    }
  }
  if (item['status'] === 'pending_approval') {
    const approvalId = String(item['approval_id'])
    return { pending: { tool: String(item['tool_slug']), approvalId, expiresAt: String(item['expires_at']) } }
  }
  const detail = isObject(item['error_detail']) ? item['error_detail'] : {}
  return { failure: { message: String(item['error']), ...detail } }
}

/** The dialect gives content alone where there is no data. */
function readResponse(response: unknown): Result {
  const content = isObject(response) && Object.keys(response).length === 1 ? response['content'] : undefined
  const isContent = Array.isArray(content) && content.every((block) => isObject(block) && 'type' in block)
  return isContent ? { content } : { structuredContent: response }
}
