import type { Socket } from 'node:net'
import type { Connection, QueryError, TypedParameterValue } from 'mysql2'
import { systemClock } from '../../../core/clock.ts'
import type { Session } from '../server/session-pool.ts'
import type { BoundValue, MySqlField } from './mysql-values.ts'

const endTimeoutMs = 1000

/** The connection broke. */
export class MySqlSessionBroken extends Error {
  /** Whether anything came back since the last command was sent. */
  readonly answered: boolean

  constructor(cause: unknown, answered: boolean) {
    super('The connection broke.', { cause })
    this.answered = answered
  }
}

/** A statement that the server has compiled; it takes one statement a text. */
export interface Compiled {
  readonly parameterCount: number
  /** 0 where it gives no rows. */
  readonly columnCount: number
  execute(values: readonly SentValue[]): ExecuteCommand
}

/** Whole numbers travel with their type; the driver alone would make doubles of them, or strings. */
type SentValue = Exclude<BoundValue, bigint> | TypedParameterValue

/** What a statement without columns did. */
export interface ChangeHeader {
  readonly affectedRows: number
  readonly insertId: number | string
}

/** Takes what a statement answers with, as it comes. */
export interface ResultListener {
  fields?(fields: readonly MySqlField[]): void
  row?(values: readonly unknown[]): void
}

interface ExecuteCommand {
  on(event: 'error', listener: (error: QueryError) => void): this
  on(event: 'fields', listener: (fields: readonly MySqlField[] | undefined) => void): this
  on(event: 'result', listener: (row: unknown) => void): this
  on(event: 'end', listener: () => void): this
}

interface Statement {
  readonly columns: readonly unknown[]
  readonly parameters: readonly unknown[]
  execute(values: readonly SentValue[]): ExecuteCommand
}

/** What of a connection the driver's types leave out. */
interface DriverConnection {
  readonly stream: Socket
  readonly _handshakePacket: { readonly serverVersion: string }
  reset(callback: (error: QueryError | null) => void): void
  close(): void
}

/** What a session is built from beside its connection. */
export interface SessionParts {
  readonly transactionId: string
  /** Asks the server, over another connection, to stop what this one runs. */
  readonly cancel: () => Promise<void>
  readonly toInteger: (value: bigint) => TypedParameterValue
}

/** One login at a MariaDB or MySQL server, one command at a time. */
export class MySqlSession implements Session {
  /** Names this session's transactions; nobody can guess it, so that no statement can end one. */
  readonly transactionId: string
  readonly #connection: Connection & DriverConnection
  readonly #cancel: () => Promise<void>
  readonly #toInteger: (value: bigint) => TypedParameterValue
  #fail: ((error: Error) => void) | undefined
  #answered = false
  #broken: Error | undefined
  #listener: () => void = () => {}
  #ended: Promise<void> | undefined
  #cancelling: Promise<void> | undefined
  #protected: Promise<void> | undefined

  /** Takes a connection that has logged in. */
  constructor(connection: Connection, { transactionId, cancel, toInteger }: SessionParts) {
    this.#connection = connection as Connection & DriverConnection
    this.transactionId = transactionId
    this.#cancel = cancel
    this.#toInteger = toInteger
    connection.on('error', (error: Error) => this.#break(error))
    this.#connection.stream.on('close', () => this.#break(new Error('The server closed the connection.')))
  }

  /** MariaDB says so when it greets; its settings have names of their own. */
  get isMariaDb(): boolean {
    return this.#connection._handshakePacket.serverVersion.includes('MariaDB')
  }

  get isUsable(): boolean {
    return this.#broken === undefined && this.#ended === undefined
  }

  get isBusy(): boolean {
    return this.#fail !== undefined
  }

  onBreak(listener: () => void): void {
    this.#listener = listener
  }

  /** Runs a statement of our own; the text never holds anything of a caller's. */
  run(sql: string): Promise<readonly (readonly unknown[])[]> {
    return this.#command((resolve, reject) => {
      this.#connection.query(sql, (error: QueryError | null, rows: unknown) =>
        error === null ? resolve(Array.isArray(rows) ? rows : []) : reject(error),
      )
    })
  }

  /** Has the server compile one statement; nothing of it runs. */
  compile(sql: string): Promise<Compiled> {
    return this.#command((resolve, reject) => {
      this.#connection.prepare(sql, (error, prepared) => {
        if (error !== null) return reject(error)
        const statement = prepared as unknown as Statement
        resolve({
          parameterCount: statement.parameters.length,
          columnCount: statement.columns.length,
          execute: (values) => statement.execute(values),
        })
      })
    })
  }

  /** Runs a compiled statement. What a listener throws is the outcome. */
  execute(
    compiled: Compiled,
    values: readonly BoundValue[],
    listener: ResultListener,
  ): Promise<ChangeHeader> {
    return this.#command((resolve, reject) => {
      let header: ChangeHeader = { affectedRows: 0, insertId: 0 }
      let hasRows = false
      let fault: Error | undefined
      const attempt = (work: () => void) => {
        this.#answered = true
        try {
          if (fault === undefined) work()
        } catch (thrown) {
          fault = thrown as Error
        }
      }
      compiled
        .execute(values.map((value) => (typeof value === 'bigint' ? this.#toInteger(value) : value)))
        .on('fields', (fields) => {
          hasRows = fields !== undefined
          if (fields === undefined) return
          attempt(() => listener.fields?.(fields))
          fields.forEach(hideName)
        })
        .on('result', (row) => {
          if (hasRows) attempt(() => listener.row?.(row as readonly unknown[]))
          else if (row !== null) header = row as ChangeHeader
        })
        .on('error', reject)
        .on('end', () => (fault === undefined ? resolve(header) : reject(fault)))
    })
  }

  /** Has the server forget everything this session was told: transactions, variables, locks, temporary tables. */
  reset(): Promise<void> {
    return this.#command((resolve, reject) => {
      this.#connection.reset((error) => (error === null ? resolve() : reject(error)))
    })
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    if (this.isUsable) this.#connection.resume()
  }

  /** Stops what runs and gives the session up. */
  abandon(): void {
    if (this.#cancelling !== undefined) return
    this.#broken ??= new Error('The session was given up.')
    this.#cancelling = this.isBusy ? this.#cancel() : Promise.resolve()
  }

  /** Gives the session up without reading what is still to come. */
  cutOff(): void {
    this.abandon()
    this.#connection.stream.destroy()
  }

  /** Work that the end of the session waits for: a commit that was sent must not be left in doubt. */
  async protect<T>(work: Promise<T>): Promise<T> {
    this.#protected = work.then(
      () => {},
      () => {},
    )
    return await work
  }

  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    await this.#protected
    await this.#cancelling
    const { stream } = this.#connection
    if (stream.closed) return
    const isIdle = !this.isBusy && this.#broken === undefined
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(() => stream.destroy(), endTimeoutMs)
      stream.once('close', () => {
        timer.cancel()
        resolve()
      })
      if (isIdle) this.#connection.end(() => {})
      else stream.destroy()
    })
  }

  #command<T>(send: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    if (!this.isUsable) return Promise.reject(new MySqlSessionBroken(this.#broken, false))
    return new Promise((resolve, reject) => {
      this.#answered = false
      const settle = () => {
        this.#fail = undefined
      }
      this.#fail = (error) => {
        settle()
        reject(error)
      }
      send(
        (value) => {
          settle()
          resolve(value)
        },
        (error) => {
          if ((error as QueryError).fatal) this.#break(error)
          else this.#fail?.(error)
        },
      )
    })
  }

  #break(cause: Error): void {
    this.#broken ??= cause
    this.#fail?.(new MySqlSessionBroken(cause, this.#answered))
    this.#listener()
  }
}

/** The driver gives up on a column named like something that every object has; nobody reads names from it any more. */
function hideName(field: MySqlField, index: number): void {
  Object.defineProperty(field, 'name', { value: `column_${index}` })
}
