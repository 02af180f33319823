import { systemClock } from '../../../core/clock.ts'
import { toWeirError, WeirError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import { isObject } from '../../../core/parse-json.ts'
import { createLineDecoder } from '../../../wire/framing.ts'
import {
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type Params,
  renderNotification,
} from '../../../wire/json-rpc.ts'
import { metaKeys } from '../../../wire/model.ts'
import { findAnsweredId } from './find-answered-id.ts'
import { parseMessage } from './parse-message.ts'
import { type Command, type ServerProcess, startProcess } from './server-process.ts'
import { isForAll, type OutgoingRequest, type Transport, type TransportListener } from './transport.ts'

/** Requests that wait for an answer at once; the bulkhead in front is narrower. */
const inFlightMax = 1_024
/**
 * Lines of one second that may be no messages. Refusing a line costs some ten microseconds and one turn of the event
 * loop brings a million short ones, so a flood of them would stop every other connection.
 */
const strayLinesMax = 1_000
const strayWindowMs = 1_000
/** A child that reads no more is about to exit. One that stays all the same has until then to answer what it has read. */
const deafMaxMs = 1_000

interface Waiting {
  readonly request: OutgoingRequest
  /** The child cannot have read it. */
  isUnsent: boolean
  settle(outcome: JsonRpcResponse | WeirError): void
}

/**
 * One child process that speaks MCP over its standard streams. All requests share them and are told apart by id.
 * When the child exits, every request under way rejects with UPSTREAM_EXITED (R4). One that comes later, or that the
 * child can no longer have read, rejects as never sent.
 */
export class StdioTransport implements Transport {
  readonly session = undefined
  readonly #waiting = new Map<number, Waiting>()
  readonly #child: ServerProcess
  readonly #listener: TransportListener
  readonly #log: Logger
  #gone: WeirError | undefined
  #closed = false
  #isDeaf = false
  #warned = false
  #strayLines = 0
  #straySinceMs = 0

  constructor(command: Command, log: Logger, listener: TransportListener) {
    this.#listener = listener
    this.#log = log
    const decoder = createLineDecoder((line) => this.#takeLine(line))
    this.#child = startProcess(command, log, {
      onOutput: (chunk) => {
        if (this.#gone !== undefined) return
        try {
          decoder.push(chunk)
        } catch (error) {
          this.#die(toWeirError(error))
          void this.#child.stop(true)
        }
      },
      onExit: (cause) => this.#die(cause),
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  speak(): void {}

  request(request: OutgoingRequest): Promise<JsonRpcResponse> {
    return new Promise((resolve, reject) => {
      const { id, signal } = request
      if (this.#gone !== undefined) return reject(notSent(this.#gone))
      if (signal.aborted) return reject(signal.reason)
      if (this.#waiting.size >= inFlightMax) return reject(tooMany())
      const settle = (outcome: JsonRpcResponse | WeirError) => {
        this.#waiting.delete(id)
        signal.removeEventListener('abort', abort)
        if (outcome instanceof WeirError) reject(outcome)
        else resolve(outcome)
      }
      const abort = () => {
        settle(toWeirError(signal.reason))
        this.#cancel(id, signal.reason)
      }
      const waiting: Waiting = { request, isUnsent: false, settle }
      // How the child ends says more than that it reads nothing, so the request fails when that is known.
      this.#child.write(request.body, () => {
        waiting.isUnsent = true
        this.#expectDeath()
      })
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting.set(id, waiting)
    })
  }

  async notify(body: string): Promise<void> {
    if (this.#gone !== undefined) return
    try {
      this.#child.write(body)
    } catch (error) {
      // The child reads nothing, so it would not read this either.
      this.#log.debug({ error }, 'A notification to the MCP server was dropped.')
    }
  }

  close(): Promise<void> {
    this.#closed = true
    const stopped = this.#child.stop()
    this.#die(new WeirError('CONNECTION_UNAVAILABLE', 'The connection to the MCP server was closed.'))
    return stopped
  }

  #expectDeath(): void {
    if (this.#isDeaf) return
    this.#isDeaf = true
    systemClock.setTimer(() => {
      if (this.#gone !== undefined) return
      this.#die(
        new WeirError('UPSTREAM_EXITED', 'The MCP server reads no input any more.', {
          hint: 'Weir starts it again; the log holds the end of its error output.',
        }),
      )
      void this.#child.stop(true)
    }, deafMaxMs)
  }

  #cancel(requestId: number, reason: unknown): void {
    const text = reason instanceof Error ? reason.message : 'cancelled'
    void this.notify(renderNotification('notifications/cancelled', { requestId, reason: text }))
  }

  #takeLine(line: string): void {
    let message: JsonRpcMessage
    try {
      message = parseMessage(line)
    } catch (error) {
      this.#refuseLine(line, toWeirError(error))
      return
    }
    if (message.kind === 'response') this.#takeResponse(message)
    else if (message.kind === 'notification') this.#takeNotification(message)
    else this.#takeRequest(message)
  }

  #takeRequest(request: JsonRpcRequest): void {
    const text = this.#listener.onRequest(request)
    if (text !== undefined) void this.notify(text)
  }

  /** Throws where there are too many of them, which ends the server. */
  #refuseLine(line: string, error: WeirError): void {
    // Many a server prints a banner; that must not cost anyone their call. What it printed may be secret.
    if (!this.#warned)
      this.#log.warn({ error, length: line.length }, 'The MCP server printed a line that is no message.')
    this.#warned = true
    const nowMs = systemClock.monotonicMs()
    if (nowMs - this.#straySinceMs > strayWindowMs) {
      this.#straySinceMs = nowMs
      this.#strayLines = 0
    }
    this.#strayLines += 1
    if (this.#strayLines > strayLinesMax) throw tooManyStrayLines()
    // Nothing better will come for a request whose answer cannot be read, so nobody waits for it any longer.
    const id = findAnsweredId(line)
    if (id !== undefined) this.#waiting.get(id)?.settle(error)
  }

  #takeResponse(response: JsonRpcResponse): void {
    // An answer that nobody waits for came after its request was cancelled.
    if (typeof response.id === 'number') this.#waiting.get(response.id)?.settle(response)
  }

  #takeNotification(notification: JsonRpcNotification): void {
    if (isForAll(notification)) {
      this.#listener.onNotification(notification)
      return
    }
    // What a server cancels is a request of ours, or a question of its own that has the same number.
    if (notification.method === 'notifications/cancelled') this.#listener.onNotification(notification)
    this.#addressee(notification)?.onNotification?.(notification)
  }

  /** Whose notification this is, as far as the protocol says so on a channel that all requests share. */
  #addressee({ method, params }: JsonRpcNotification): OutgoingRequest | undefined {
    if (method === 'notifications/progress') return this.#find(params['progressToken'])
    if (method === 'notifications/cancelled') return this.#find(params['requestId'])
    if (method === 'notifications/subscriptions/acknowledged') return this.#find(readSubscription(params))
    // A log message names no request. With several under way it could reach the wrong caller (S5).
    return method === 'notifications/message' ? this.#only() : undefined
  }

  #find(id: unknown): OutgoingRequest | undefined {
    return typeof id === 'number' ? this.#waiting.get(id)?.request : undefined
  }

  #only(): OutgoingRequest | undefined {
    let only: OutgoingRequest | undefined
    for (const { request } of this.#waiting.values()) {
      if (request.silenceMs === 0) continue
      if (only !== undefined) return undefined
      only = request
    }
    return only?.wantsLog === true ? only : undefined
  }

  #die(cause: WeirError): void {
    if (this.#gone !== undefined) return
    this.#gone = cause
    for (const { isUnsent, settle } of [...this.#waiting.values()]) settle(isUnsent ? notSent(cause) : cause)
    if (!this.#closed) this.#listener.onDeath(cause)
  }
}

function readSubscription({ _meta }: Params): unknown {
  return isObject(_meta) ? _meta[metaKeys.subscriptionId] : undefined
}

function notSent(gone: WeirError): WeirError {
  return new WeirError('CONNECTION_UNAVAILABLE', gone.message, {
    ...(gone.hint === undefined ? {} : { hint: gone.hint }),
    data: { ...gone.data, sent: false },
    cause: gone,
  })
}

function tooManyStrayLines(): WeirError {
  const message = `The MCP server printed more than ${strayLinesMax} lines within a second that are no messages.`
  return new WeirError('UPSTREAM_PROTOCOL', message, {
    hint: 'Make the server print its log to its error output, and nothing but messages to its output.',
  })
}

function tooMany(): WeirError {
  return new WeirError('OVERLOADED', `${inFlightMax} requests already wait for this MCP server.`, {
    hint: 'Wait, and send less to this server at once.',
    data: { sent: false },
  })
}
