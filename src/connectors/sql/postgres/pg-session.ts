import type { Socket } from 'node:net'
import type { Client } from 'pg'
import { systemClock } from '../../../core/clock.ts'
import type { Session } from '../server/session-pool.ts'
import { PreparedStatements } from './prepared-statements.ts'
import type { TypeCatalogue } from './type-catalogue.ts'
import { isServerFault, type RowListener, type ServerFault, type Wire, type WireAnswer } from './wire.ts'

/** A larger message is not waited for: it would be held in memory as a whole (R22). */
const messageBytesMax = 16 * 1024 * 1024
/** How long a server gets to end a login in good order. */
const endTimeoutMs = 1000

/** The connection broke; `fault` is what the server said last, such as that an administrator ended the session. */
export class SessionBroken extends Error {
  readonly fault: ServerFault | undefined
  /** Whether anything came back since the last message was sent. */
  readonly answered: boolean

  constructor(cause: unknown, answered: boolean) {
    super('The connection broke.', { cause })
    this.fault = isServerFault(cause) ? cause : undefined
    this.answered = answered
  }
}

/** A message of the server was larger than Weir takes; the session is over. */
export class MessageTooLarge extends Error {
  readonly bytes: number

  constructor(bytes: number) {
    super(`A message of ${bytes} bytes.`)
    this.bytes = bytes
  }
}

interface Exchange {
  readonly answer: WireAnswer
  readonly onRow: RowListener | undefined
  fault: Error | undefined
  answered: boolean
  resolve(answer: WireAnswer): void
  reject(error: Error): void
}

/**
 * One login at a PostgreSQL server. Everything goes through `exchange`: messages up to one Sync, written together, and
 * what comes back for them, so that a whole read takes one round trip.
 */
export class PgSession implements Session {
  readonly statements: PreparedStatements
  readonly #client: Client
  readonly #wire: Wire
  readonly #cancel: () => Promise<void>
  #current: Exchange | undefined
  #broken: Error | undefined
  #listener: () => void = () => {}
  #ended: Promise<void> | undefined
  #cancelling: Promise<void> | undefined
  #protected: Promise<void> | undefined

  /** Takes a client that is connected. `cancel` asks the server to stop what this session runs. */
  constructor(client: Client, types: TypeCatalogue, cancel: () => Promise<void>) {
    this.#client = client
    this.#cancel = cancel
    this.#wire = client.connection as unknown as Wire
    this.statements = new PreparedStatements(this, types)
    this.#listen()
  }

  get isUsable(): boolean {
    return this.#broken === undefined && this.#ended === undefined
  }

  /** Whether the server has not answered yet. */
  get isBusy(): boolean {
    return this.#current !== undefined
  }

  onBreak(listener: () => void): void {
    this.#listener = listener
  }

  /**
   * Sends what `write` writes and a Sync. Rejects with the server's fault once the server is ready again, or with
   * SessionBroken. Never two at a time.
   */
  exchange(write: (wire: Wire) => void, onRow?: RowListener): Promise<WireAnswer> {
    return this.#send((wire) => {
      write(wire)
      wire.sync()
    }, onRow)
  }

  #send(write: (wire: Wire) => void, onRow?: RowListener): Promise<WireAnswer> {
    if (!this.isUsable) return Promise.reject(new SessionBroken(this.#broken, false))
    return new Promise((resolve, reject) => {
      const answer = { tags: [], fields: undefined, parameterTypes: [], status: '' }
      this.#current = { answer, onRow, fault: undefined, answered: false, resolve, reject }
      this.#client.query(new Submission(write))
    })
  }

  /** Runs a statement of our own that was prepared under this name. */
  run(name: string): Promise<WireAnswer> {
    return this.exchange((wire) => {
      wire.bind({ statement: name })
      wire.execute()
    })
  }

  /** Runs statements of our own without parameters; the text never holds anything of a caller's. */
  script(text: string, onRow?: RowListener): Promise<WireAnswer> {
    return this.#send((wire) => wire.query(text), onRow)
  }

  /**
   * Stops what runs and gives the session up: a cancel request may arrive late, and must not meet the next caller's
   * statement.
   */
  abandon(): void {
    if (this.#cancelling !== undefined) return
    this.#broken ??= new Error('The session was given up.')
    this.#cancelling = this.#current === undefined ? Promise.resolve() : this.#cancel()
  }

  /** Work that the end of the session waits for: a commit that was sent must not be left in doubt. */
  async protect<T>(work: Promise<T>): Promise<T> {
    this.#protected = work.then(
      () => {},
      () => {},
    )
    return await work
  }

  /** Gives the session up without reading what is still to come. */
  cutOff(): void {
    this.abandon()
    this.#wire.stream.destroy()
  }

  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    await this.#protected
    await this.#cancelling
    const stream = this.#wire.stream as unknown as Socket
    if (stream.closed) return
    const isIdle = this.#current === undefined && this.#broken === undefined
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(() => stream.destroy(), endTimeoutMs)
      stream.once('close', () => {
        timer.cancel()
        resolve()
      })
      if (isIdle) void this.#client.end()
      else stream.destroy()
    })
  }

  #listen(): void {
    const wire = this.#wire
    this.#client.on('error', (error) => this.#break(error))
    this.#client.on('end', () => this.#break(new Error('The server closed the connection.')))
    wire.on('errorMessage', (fault: ServerFault) => this.#takeFault(fault))
    wire.on('parameterDescription', ({ dataTypeIDs }) => this.#note({ parameterTypes: dataTypeIDs }))
    wire.on('rowDescription', ({ fields }) => this.#note({ fields }))
    wire.on('dataRow', ({ fields, length }) => {
      if (this.#current !== undefined) takeRow(this.#current, fields, length)
    })
    wire.on('commandComplete', ({ text }) => this.#current?.answer.tags.push(text))
    wire.on('portalSuspended', () => this.#current?.answer.tags.push(undefined))
    wire.on('emptyQuery', () => this.#current?.answer.tags.push(''))
    wire.on('bindComplete', () => this.#note({}))
    wire.on('copyInResponse', () => {
      // The server skipped the Sync that was sent, because it took it for data.
      wire.sendCopyFail('Weir copies no data.')
      wire.sync()
    })
    wire.on('readyForQuery', ({ status }) => this.#settle(status))
    wire.stream.on('data', this.#createSizeGuard())
  }

  #note(what: Partial<WireAnswer>): void {
    if (this.#current === undefined) return
    this.#current.answered = true
    Object.assign(this.#current.answer, what)
  }

  #takeFault(fault: ServerFault): void {
    if (this.#current !== undefined) this.#current.fault ??= fault
    if (fault.severity === 'FATAL' || fault.severity === 'PANIC') this.#break(fault)
  }

  #settle(status: string): void {
    const current = this.#current
    if (current === undefined) return
    this.#current = undefined
    current.answer.status = status
    if (current.fault === undefined) current.resolve(current.answer)
    else current.reject(current.fault)
  }

  #break(cause: Error): void {
    const current = this.#current
    this.#current = undefined
    this.#broken ??= cause
    if (cause instanceof MessageTooLarge) current?.reject(cause)
    else current?.reject(new SessionBroken(current.fault ?? cause, current.answered))
    this.#listener()
  }

  /** Follows the frames of what arrives, five bytes of head each, without copying any of it. */
  #createSizeGuard(): (chunk: Buffer) => void {
    let skip = 0
    let head: Buffer = Buffer.alloc(0)
    return (chunk) => {
      let at = skip
      while (at < chunk.length) {
        const bytes =
          head.length === 0
            ? chunk.subarray(at, at + 5)
            : Buffer.concat([head, chunk.subarray(at, at + 5 - head.length)])
        if (bytes.length < 5) {
          head = Buffer.from(bytes)
          skip = 0
          return
        }
        const length = bytes.readUInt32BE(1)
        if (length > messageBytesMax) return this.#refuseMessage(length)
        at += 1 + length - head.length
        head = Buffer.alloc(0)
      }
      skip = at - chunk.length
    }
  }

  #refuseMessage(bytes: number): void {
    this.#break(new MessageTooLarge(bytes))
    this.cutOff()
  }
}

/** What a listener throws must not reach the socket; it is the outcome of the exchange. */
function takeRow(exchange: Exchange, fields: readonly (string | null)[], bytes: number): void {
  try {
    exchange.onRow?.(exchange.answer.tags.length, fields, bytes)
  } catch (thrown) {
    exchange.fault ??= thrown as Error
  }
}

/** What the driver's queue takes; the answers are read from the connection itself. */
class Submission {
  readonly #write: (wire: Wire) => void

  constructor(write: (wire: Wire) => void) {
    this.#write = write
  }

  submit(connection: unknown): null {
    const wire = connection as Wire
    wire.stream.cork()
    this.#write(wire)
    wire.stream.uncork()
    return null
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
  handleError(): void {}
  handleReadyForQuery(): void {}
}
