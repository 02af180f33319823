import type { ConnectionStatus } from '../core/catalog.ts'
import { describeState } from './describe-state.ts'

/** What the screen is drawn from. */
export interface ReadyFacts {
  readonly version: string
  readonly url: string
  readonly connections: readonly ConnectionStatus[]
  /** Whether the sample shop is served: then there is a query that will answer. */
  readonly isSample: boolean
  /** Whether `weir call` finds this Weir without being told its port. */
  readonly isConfiguredPort: boolean
}

/** One screen has 24 lines, and the rest needs 14 of them. */
const connectionsMax = 8
const causeCharsMax = 60

/** Where Weir listens, how its connections stand, and three things to try. */
export function renderReadyScreen(facts: ReadyFacts): string {
  const { version, url, connections } = facts
  const shown = connections.slice(0, connectionsMax)
  const more = connections.length - shown.length
  const width = Math.max(...shown.map(({ name }) => name.length), 'metrics'.length)
  return [
    `Weir ${version} is ready.`,
    '',
    ...[
      ['mcp', '/mcp'],
      ['rest', '/mcp/discover'],
      ['metrics', '/metrics'],
    ].map(([what, path]) => `  ${what!.padEnd(width)}  ${url}${path}`),
    '',
    ...shown.map((connection) => `  ${connection.name.padEnd(width)}  ${renderState(connection)}`),
    ...(more > 0 ? [`  … and ${more} more: npx weir tools`] : []),
    ...(connections.length > 0 ? [''] : []),
    'Try',
    ...renderTries(facts).map((line) => `  ${line}`),
    '',
  ].join('\n')
}

function renderState({ state, tools, cause }: ConnectionStatus): string {
  const why = cause?.replace(/\s+/g, ' ')
  const cut = why !== undefined && why.length > causeCharsMax ? `${why.slice(0, causeCharsMax - 1)}…` : why
  const stands = describeState(state, cut).replace(/^is /, '')
  // What is idle offers what it offered last.
  return state === 'up' || state === 'idle' ? `${stands}, ${tools} ${tools === 1 ? 'tool' : 'tools'}` : stands
}

function renderTries({ url, isSample, isConfiguredPort }: ReadyFacts): readonly string[] {
  const port = isConfiguredPort ? '' : ` --port ${new URL(url).port}`
  const connect = `claude mcp add --transport http weir ${url}/mcp`
  if (!isSample) return [`npx weir tools${port}`, `curl -s ${url}/mcp/discover`, connect]
  const query = `npx weir call${port} database:execute_query query='select count(*) from orders' database=analytics`
  const body = { tools: [{ tool_slug: 'database:get_schema', arguments: { database: 'analytics' } }] }
  const curl = `curl -s ${url}/mcp/execute -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
  return [query, curl, connect]
}
