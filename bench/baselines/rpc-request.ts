import type { IncomingMessage } from 'node:http'

/** Reads a whole request body, the way that costs least: by events, joined once. */
export function readBody(request: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
}

/** The fields of a JSON-RPC request that a minimal MCP server looks at. */
export interface RpcRequest {
  readonly id?: string | number
  readonly method: string
  readonly params: {
    readonly name: string
    readonly arguments: { readonly text: string }
    readonly protocolVersion?: string
    readonly _meta?: Readonly<Record<string, unknown>>
  }
}

/** Whether the request is one of 2026-07-28, which every such request says in its own `_meta`. */
export function isModern(request: RpcRequest): boolean {
  return request.params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined
}
