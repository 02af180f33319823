import type { ClientName } from './clients.ts'

/** A client's configuration: its block of servers, and VS Code's questions where there are some. */
export type ClientConfig = Readonly<Record<string, unknown>>

/** How a client reaches this Weir. */
export interface WeirAddress {
  /** Where it listens, without a path. */
  readonly url: string
  /** The configuration, absolute; absent for the sample. */
  readonly configPath: string | undefined
}

/** The client's whole file with nothing but these servers in it. */
export function renderClientConfig(
  client: ClientName,
  servers: Readonly<Record<string, unknown>>,
  inputs: readonly unknown[] = [],
): ClientConfig {
  if (client !== 'vscode') return { mcpServers: servers }
  return inputs.length === 0 ? { servers } : { inputs, servers }
}

/** The one server that this Weir is to a client: by its URL, or as a program where the client knows only those. */
export function renderWeirServer(client: ClientName, { url, configPath }: WeirAddress): ClientConfig {
  if (client === 'claude-desktop') {
    const config = configPath === undefined ? [] : ['--config', configPath]
    return { command: 'npx', args: ['weir', 'start', '--stdio', ...config] }
  }
  const mcp = `${url}/mcp`
  return client === 'cursor' ? { url: mcp } : { type: 'http', url: mcp }
}
