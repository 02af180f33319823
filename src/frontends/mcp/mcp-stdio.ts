import type { Readable, Writable } from 'node:stream'
import type { Caller } from '../../core/caller.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { Disposable, View } from '../../core/catalog.ts'
import { toWeirError, WeirError } from '../../core/error.ts'
import { parseJson } from '../../core/parse-json.ts'
import { renderJsonRpcError } from '../../wire/errors.ts'
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
import { unsupportedVersion, versionInBody } from './identify.ts'
import { answerInitialize } from './initialize.ts'
import type { Answer } from './methods.ts'
import type { Session } from './sessions.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface StdioParts {
  readonly input: Readable
  readonly output: Writable
  readonly caller: Caller
  readonly view: View
  readonly answer: Answer
  readonly subscriptions: Subscriptions
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
  const { input, output, view, caller, subscriptions } = parts
  const running = new Map<RequestId, Cancellation>()
  const listening = new Map<RequestId, Disposable>()
  let session: Session | undefined

  const send = (text: string) => {
    output.write(`${text}\n`)
  }
  const isBusy = () => running.size >= runningMax || output.writableLength > outputBytesMax
  const breathe = () => {
    if (input.isPaused() && !isBusy()) input.resume()
  }
  const respond = async (request: JsonRpcRequest) => {
    const { id, method } = request
    const cancellation = new Cancellation()
    running.set(id, cancellation)
    try {
      if (method === 'initialize' && versionInBody(request.params) === undefined) {
        const handshake = answerInitialize(request, parts.server, parts.instructions)
        session = { ...handshake, logLevel: undefined, running }
        subscribeLegacy()
        send(renderResponse(id, handshake.text))
        return
      }
      const revision = revisionOf(request, session)
      if (method === 'subscriptions/listen' && revision.era === 'modern') {
        revision.readMeta(request.params)
        listening.get(id)?.dispose()
        const end = (answer?: string) => {
          if (listening.delete(id) && answer !== undefined) send(answer)
        }
        listening.set(id, subscriptions.listen(request, view, { notify: send, end }))
        return
      }
      const meta = revision.readMeta(request.params)
      const text = await parts.answer({
        request,
        revision,
        meta,
        caller,
        view,
        cancellation,
        session,
        notify: (event) => {
          const isRunning = running.get(id) === cancellation && cancellation.reason === undefined
          if (isRunning && output.writableLength <= notifyBytesMax) send(event)
        },
      })
      // Nothing more is said of a request that its sender has cancelled.
      if (cancellation.reason?.code !== 'CANCELLED') send(renderResponse(id, String(text)))
    } catch (thrown) {
      if (cancellation.reason?.code === 'CANCELLED') return
      send(renderErrorResponse(id, renderJsonRpcError(toWeirError(thrown))))
    } finally {
      if (running.get(id) === cancellation) running.delete(id)
      breathe()
    }
  }
  const subscribeLegacy = () => {
    if (listening.has('initialize')) return
    listening.set('initialize', subscriptions.follow(view, { notify: send, end: () => {} }))
  }
  const cancel = (requestId: RequestId) => {
    running.get(requestId)?.cancel(new WeirError('CANCELLED', 'The client cancelled the call.'))
    listening.get(requestId)?.dispose()
    listening.delete(requestId)
  }
  const take = (value: unknown) => {
    try {
      const message = readMessage(value)
      if (message.kind === 'request') void respond(message)
      else if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
        cancel(message.params['requestId'] as RequestId)
      }
    } catch (thrown) {
      send(renderErrorResponse(idOf(value), renderJsonRpcError(toWeirError(thrown))))
    }
  }
  const decoder = createLineDecoder((line) => {
    try {
      const value = parseJson(line)
      if (Array.isArray(value)) checkBatch(value, session?.revision ?? headerlessLegacy)
      for (const message of Array.isArray(value) ? value : [value]) take(message)
    } catch (thrown) {
      send(renderErrorResponse(undefined, renderJsonRpcError(toWeirError(thrown))))
    }
  }, lineBytesMax)

  return new Promise((resolve) => {
    input.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk)
      } catch (cause) {
        // A line without end cannot be told from the next one, so the connection is over.
        const error = new WeirError('BODY_TOO_LARGE', `A line is longer than ${lineBytesMax} bytes.`, {
          cause,
        })
        send(renderErrorResponse(undefined, renderJsonRpcError(error)))
        input.destroy()
      }
      if (isBusy()) input.pause()
    })
    output.on('drain', breathe)
    // A client that closed its end has left, however it says so.
    output.on('error', () => input.destroy())
    input.on('error', () => input.destroy())
    input.once('close', () => {
      for (const one of running.values()) one.cancel(new WeirError('CANCELLED', 'The client left.'))
      for (const one of listening.values()) one.dispose()
      resolve()
    })
    input.once('end', () => input.destroy())
  })
}

function checkBatch(values: readonly unknown[], { version, batches }: Revision): void {
  if (!batches) throw new WeirError('INVALID_REQUEST', `Revision ${version} has no batches.`)
  if (values.length === 0) throw new WeirError('INVALID_REQUEST', 'The batch is empty.')
  if (values.length > batchMax)
    throw new WeirError('BATCH_TOO_LARGE', `The batch holds ${values.length} messages, over ${batchMax}.`)
}

function revisionOf({ params }: JsonRpcRequest, session: Session | undefined): Revision {
  const version = versionInBody(params)
  if (version === undefined) return session?.revision ?? headerlessLegacy
  const revision = typeof version === 'string' ? findRevision(version) : undefined
  if (revision === undefined) throw unsupportedVersion(version)
  return revision
}
