import { randomUUID } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Disposable, View } from '../../core/catalog.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import { parseJson } from '../../core/parse-json.ts'
import { createLineDecoder } from '../../wire/framing.ts'
import {
  idOf,
  type JsonRpcRequest,
  type RequestId,
  readMessage,
  renderErrorResponse,
  renderResponse,
} from '../../wire/json-rpc.ts'
import type { Implementation, Revision } from '../../wire/model.ts'
import { findRevision, headerlessLegacy } from '../../wire/revisions/index.ts'
import { nextCallId } from '../shared/next-call-id.ts'
import type { Answer, Exchange } from './exchange.ts'
import { unsupportedVersion, versionInBody } from './identify.ts'
import { answerInitialize, type Handshake } from './initialize.ts'
import type { Asked, ClientQuestions } from './questions/client-questions.ts'
import { renderRpcError } from './rendering/render-rpc-error.ts'
import type { Session } from './sessions.ts'
import type { Subscriptions } from './subscriptions/subscriptions.ts'

/** What serving one client over a pair of streams needs. */
export interface StdioParts {
  readonly input: Readable
  readonly output: Writable
  readonly caller: Caller
  readonly view: View
  readonly answer: Answer
  readonly subscriptions: Subscriptions
  readonly questions: ClientQuestions
  readonly server: Implementation
  readonly instructions: string
}

/** Requests answered at once; more stay unread in the pipe, which holds its writer back. */
const runningMax = 256
/** Bytes of answers that may wait for a slow reader before no more requests are read. */
const outputBytesMax = 16 * 1024 * 1024
/** Bytes that may wait before what a running call says on its way is dropped. */
const notifyBytesMax = 1024 * 1024
const lineBytesMax = 4 * 1024 * 1024
const batchMax = 100

/** MCP over standard input and output, both eras, for one client. Resolves when the client closes its end. */
export function serveStdio(parts: StdioParts): Promise<void> {
  return new StdioServer(parts).serve()
}

class StdioServer {
  readonly #parts: StdioParts
  readonly #running = new Map<RequestId, Cancellation>()
  readonly #listening = new Map<RequestId, Disposable>()
  readonly #decoder = createLineDecoder((line) => this.#takeLine(line), lineBytesMax)
  readonly #asked: Asked = { session: `stdio-${nextCallId()}`, send: (text) => this.#offer(text) }
  #session: Session | undefined
  #following: Disposable | undefined

  constructor(parts: StdioParts) {
    this.#parts = parts
  }

  serve(): Promise<void> {
    const { input, output } = this.#parts
    return new Promise((resolve) => {
      input.on('data', (chunk: Buffer) => this.#takeChunk(chunk))
      output.on('drain', () => this.#breathe())
      // A client that closed its end has left, however it says so.
      output.on('error', () => input.destroy())
      input.on('error', () => input.destroy())
      input.once('end', () => input.destroy())
      input.once('close', () => {
        for (const one of this.#running.values()) one.cancel(new WeirError('CANCELLED', 'The client left.'))
        for (const one of this.#listening.values()) one.dispose()
        this.#endSession()
        resolve()
      })
    })
  }

  #takeChunk(chunk: Buffer): void {
    const { input } = this.#parts
    try {
      this.#decoder.push(chunk)
    } catch (cause) {
      // A line without end cannot be told from the next one, so the connection is over.
      this.#refuse(
        undefined,
        new WeirError('BODY_TOO_LARGE', `A line is longer than ${lineBytesMax} bytes.`, { cause }),
      )
      input.destroy()
    }
    if (this.#isBusy()) input.pause()
  }

  #takeLine(line: string): void {
    try {
      const value = parseJson(line)
      if (Array.isArray(value)) checkBatch(value, this.#session?.revision ?? headerlessLegacy)
      for (const message of Array.isArray(value) ? value : [value]) this.#take(message)
    } catch (thrown) {
      this.#refuse(undefined, thrown)
    }
  }

  #take(value: unknown): void {
    try {
      const message = readMessage(value)
      if (message.kind === 'request') void this.#respond(message)
      else if (message.kind === 'response') this.#parts.questions.take(this.#asked.session, message)
      else if (message.method === 'notifications/cancelled') {
        this.#cancel(message.params['requestId'] as RequestId)
      }
    } catch (thrown) {
      this.#refuse(idOf(value), thrown)
    }
  }

  async #respond(request: JsonRpcRequest): Promise<void> {
    const { id } = request
    // Calls are counted, cancelled and ended by their ids: a second one would take the first one out of reach.
    if (this.#running.has(id)) return this.#refuse(id, idInUse(id))
    const cancellation = new Cancellation()
    this.#running.set(id, cancellation)
    try {
      const text = await this.#answer(request, cancellation)
      // Nothing more is said of a request that its sender has cancelled.
      if (text !== undefined && !isCancelled(cancellation)) this.#send(renderResponse(id, text))
    } catch (thrown) {
      if (!isCancelled(cancellation)) this.#refuse(id, thrown, eraOf(request))
    } finally {
      this.#running.delete(id)
      this.#breathe()
    }
  }

  /** The text of the result; undefined where the answer comes when a subscription ends. */
  async #answer(request: JsonRpcRequest, cancellation: Cancellation): Promise<string | undefined> {
    const { server, instructions, caller, view, answer, questions } = this.#parts
    if (request.method === 'initialize' && versionInBody(request.params) === undefined) {
      const handshake = answerInitialize(request, server, view, instructions)
      this.#beginSession(handshake)
      return handshake.text
    }
    const revision = revisionOf(request, this.#session)
    const meta = revision.readMeta(request.params)
    if (request.method === 'subscriptions/listen' && revision.era === 'modern') {
      await this.#parts.subscriptions.prepare(request, view)
      if (cancellation.reason === undefined) this.#listen(request)
      return undefined
    }
    const notify = (event: string) => this.#notify(request.id, cancellation, event)
    const session = this.#session
    const ask: Exchange['ask'] =
      session === undefined || revision.era === 'modern'
        ? undefined
        : (question, stop) => questions.ask(this.#asked, question, stop)
    return String(await answer({ request, revision, meta, caller, view, cancellation, session, notify, ask }))
  }

  #listen(request: JsonRpcRequest): void {
    const { subscriptions, view } = this.#parts
    const { id } = request
    this.#listening.get(id)?.dispose()
    const end = (answer?: string) => {
      if (this.#listening.delete(id) && answer !== undefined) this.#send(answer)
    }
    const notify = (event: string) => this.#offer(event)
    this.#listening.set(id, subscriptions.listen(request, view, { notify, end }))
  }

  /** A legacy client is told of changes without asking. One that begins anew has subscribed to nothing yet. */
  #beginSession({ revision, clientCapabilities }: Handshake): void {
    const { subscriptions, view } = this.#parts
    this.#endSession()
    const session: Session = {
      id: randomUUID(),
      expiresAtMs: Number.POSITIVE_INFINITY,
      revision,
      clientCapabilities,
      logLevel: undefined,
      running: this.#running,
      streams: new Set(),
    }
    this.#session = session
    const notify = (event: string) => this.#offer(event)
    this.#following = subscriptions.follow(session, view, { notify, end: () => {} })
  }

  #endSession(): void {
    this.#following?.dispose()
    if (this.#session !== undefined) this.#parts.subscriptions.sessions.end(this.#session.id)
  }

  #notify(id: RequestId, cancellation: Cancellation, event: string): void {
    const isRunning = this.#running.get(id) === cancellation && cancellation.reason === undefined
    if (isRunning && this.#parts.output.writableLength <= notifyBytesMax) this.#send(event)
  }

  /** For what no request of the client's holds back: questions and news. Whether it was sent. */
  #offer(text: string): boolean {
    if (this.#parts.output.writableLength > outputBytesMax) return false
    this.#send(text)
    return true
  }

  #cancel(requestId: RequestId): void {
    this.#running.get(requestId)?.cancel(new WeirError('CANCELLED', 'The client cancelled the call.'))
    this.#listening.get(requestId)?.dispose()
    this.#listening.delete(requestId)
  }

  #refuse(id: RequestId | undefined, thrown: unknown, era: Revision['era'] = 'modern'): void {
    this.#send(renderErrorResponse(id, renderRpcError(toWeirError(thrown), era)))
  }

  #send(text: string): void {
    this.#parts.output.write(`${text}\n`)
  }

  #isBusy(): boolean {
    return this.#running.size >= runningMax || this.#parts.output.writableLength > outputBytesMax
  }

  #breathe(): void {
    const { input } = this.#parts
    if (input.isPaused() && !this.#isBusy()) input.resume()
  }
}

function idInUse(id: RequestId): WeirError {
  return new WeirError(
    'INVALID_REQUEST',
    `A request with the id ${JSON.stringify(id).slice(0, 100)} is still running.`,
    { hint: 'Give each request an id of its own.' },
  )
}

function isCancelled({ reason }: Cancellation): boolean {
  return reason?.code === 'CANCELLED'
}

function checkBatch(values: readonly unknown[], { version, batches }: Revision): void {
  if (!batches) throw new WeirError('INVALID_REQUEST', `Revision ${version} has no batches.`)
  if (values.length === 0) throw new WeirError('INVALID_REQUEST', 'The batch is empty.')
  if (values.length > batchMax)
    throw new WeirError('BATCH_TOO_LARGE', `The batch holds ${values.length} messages, over ${batchMax}.`)
}

/** Only a message of the new era says in itself what it is. */
function eraOf({ params }: JsonRpcRequest): Revision['era'] {
  return versionInBody(params) === undefined ? 'legacy' : 'modern'
}

function revisionOf({ params }: JsonRpcRequest, session: Session | undefined): Revision {
  const version = versionInBody(params)
  if (version === undefined) return session?.revision ?? headerlessLegacy
  const revision = typeof version === 'string' ? findRevision(version) : undefined
  if (revision === undefined) throw unsupportedVersion(version)
  return revision
}
