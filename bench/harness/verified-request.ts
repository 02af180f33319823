import { setTimeout as sleep } from 'node:timers/promises'
import type { Era } from './case.ts'
import {
  type McpPost,
  type Peer,
  parseResult,
  renderInitialize,
  renderInitialized,
  renderRequest,
} from './mcp-message.ts'

/** A request together with the answer it must get every time, checked once for its meaning. */
export interface VerifiedRequest extends McpPost {
  readonly answer: string
  /** Patterns of what differs from answer to answer, such as a time that was taken; left out on both sides. */
  readonly varying?: readonly string[]
}

/** An answer without what differs each time. */
export function stripVarying(answer: string, varying: readonly string[] = []): string {
  return varying.reduce((text, pattern) => text.replaceAll(new RegExp(pattern, 'g'), ''), answer)
}

/** What every echo call sends and must get back. */
export const echoText =
  'All that is gold does not glitter, not all those who wander are lost; the old that is strong.'

const toolTimeoutMs = 20_000
const toolPauseMs = 100

/** Opens a client's relation to `url`: nothing in the new era, the handshake in the old one. */
export async function connect(url: string, era: Era): Promise<Peer> {
  if (era === '2026-07-28') return { url, era }
  const { text, sessionId } = await post(renderInitialize(url))
  const { protocolVersion } = parseResult(text)
  if (protocolVersion !== era) throw new Error(`${url} speaks ${protocolVersion} where ${era} was asked for.`)
  const peer: Peer = { url, era, ...(sessionId === undefined ? {} : { sessionId }) }
  await post(renderInitialized(peer))
  return peer
}

/** A tools/call of the peer's echo tool, under whatever prefix it has there. */
export async function verifyEcho(peer: Peer): Promise<VerifiedRequest> {
  const name = await findTool(peer, /(^|[^a-z])echo$/)
  return verify(renderRequest(peer, 'tools/call', { name, arguments: { text: echoText } }), (result) => {
    const [block] = result['content'] as [{ type?: unknown; text?: unknown }?]
    if (result['isError'] === true || block?.text !== echoText)
      throw new Error('The echo is not what was said.')
    if (peer.era === '2026-07-28' && result['resultType'] !== 'complete') {
      throw new Error('The result lacks resultType.')
    }
  })
}

/** A call of a tool whose answer, as text, must be what `check` says. */
export function verifyCall(
  peer: Peer,
  name: string,
  input: Record<string, unknown>,
  check: (answer: string) => boolean,
  varying: readonly string[] = [],
): Promise<VerifiedRequest> {
  const request = renderRequest(peer, 'tools/call', { name, arguments: input })
  const verifyResult = (result: Record<string, unknown>) => {
    if (result['isError'] === true || !check(JSON.stringify(result))) throw new Error('It is not the row.')
  }
  return verify(request, verifyResult, varying)
}

/** A tools/list that answers with `count` tools at least, on one page. */
export function verifyList(peer: Peer, count: number): Promise<VerifiedRequest> {
  return verify(renderRequest(peer, 'tools/list', {}), (result) => {
    const tools = result['tools'] as readonly unknown[]
    if (tools.length < count) throw new Error(`The list holds ${tools.length} tools of ${count}.`)
  })
}

/** Waits until the peer offers a tool whose name fits, for a connection may still be opening. */
export async function findTool(peer: Peer, pattern: RegExp): Promise<string> {
  const deadlineMs = performance.now() + toolTimeoutMs
  for (;;) {
    const { text } = await post(renderRequest(peer, 'tools/list', {}))
    const tools = parseResult(text)['tools'] as readonly { readonly name: string }[]
    const found = tools.find((tool) => pattern.test(tool.name))
    if (found !== undefined) return found.name
    if (performance.now() > deadlineMs) throw new Error(`${peer.url} offers no tool like ${pattern}.`)
    await sleep(toolPauseMs)
  }
}

/** Sends the request twice: the answer must mean what it should and be the same both times, for the load compares bytes. */
async function verify(
  request: McpPost,
  check: (result: Record<string, unknown>) => void,
  varying: readonly string[] = [],
): Promise<VerifiedRequest> {
  const { text: answer } = await post(request)
  try {
    check(parseResult(answer))
  } catch (cause) {
    throw new Error(`${request.url}: ${(cause as Error).message} It answered ${answer.slice(0, 500)}`, {
      cause,
    })
  }
  const { text: again } = await post(request)
  if (stripVarying(again, varying) !== stripVarying(answer, varying))
    throw new Error(`${request.url} answers the same request differently: ${again.slice(0, 500)}`)
  return { ...request, answer, ...(varying.length > 0 ? { varying } : {}) }
}

async function post({ url, headers, body }: McpPost): Promise<{ text: string; sessionId?: string }> {
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
  const sessionId = response.headers.get('mcp-session-id')
  return sessionId === null ? { text } : { text, sessionId }
}
