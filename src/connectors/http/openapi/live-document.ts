import { isDeepStrictEqual } from 'node:util'
import { WeirError } from '../../../core/error.ts'
import { showHidden } from '../../../core/hidden-text.ts'
import type { Logger } from '../../../core/logger.ts'
import type { Api } from '../api.ts'
import { type Converted, convertDocument, TooManyOperations } from './convert-document.ts'
import type { DocumentSource, ReadDocument } from './document-source.ts'
import type { OpenapiConfig } from './openapi-config.ts'
import type { OperationPlan } from './plan-operation.ts'
import { reservedOf } from './reserved-of.ts'

/** Lines of the log that one reading may take for each kind of news. */
const linesMax = 20

/** What one API's document is read with. */
export interface LiveDocumentParts {
  readonly api: Api
  readonly config: OpenapiConfig
  readonly source: DocumentSource
  /** Names of the connection's other tools. */
  readonly taken: ReadonlySet<string>
  readonly log: Logger
}

/** The document of one API, and the plans of the operations that were selected when it was read last. */
export class LiveDocument {
  readonly api: Api
  readonly #parts: LiveDocumentParts
  #plans: readonly OperationPlan[] = []
  #isRead = false
  #failure: WeirError | undefined
  #reading: Promise<boolean> | undefined

  constructor(parts: LiveDocumentParts) {
    this.api = parts.api
    this.#parts = parts
  }

  get plans(): readonly OperationPlan[] {
    return this.#plans
  }

  /** Reads it, or waits for the reading under way; whether the plans are others now. What goes wrong leaves them as they were. */
  read(signal: AbortSignal): Promise<boolean> {
    this.#reading ??= this.#read(signal).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Rejects where it has never been read. Tries again first where that may help. */
  async check(signal: AbortSignal): Promise<boolean> {
    if (this.#isRead) return false
    if (this.#failure !== undefined && !this.#failure.spec.retryable) throw this.#failure
    return this.read(signal)
  }

  close(): Promise<void> {
    return this.#parts.source.close()
  }

  async #read(signal: AbortSignal): Promise<boolean> {
    try {
      const read = await this.#parts.source.read(signal)
      if (read !== undefined) return this.#take(read)
      if (!this.#isRead && this.#failure !== undefined) throw this.#failure
      return false
    } catch (thrown) {
      if (signal.aborted) throw thrown
      this.#failure = this.#explain(thrown)
      if (this.#isRead) {
        const fields = { event: 'openapi.failed', ...this.#named(), cause: this.#failure.message }
        this.#parts.log.warn(
          fields,
          'An API’s document could not be read again; the tools of the last one stay.',
        )
      }
      throw this.#failure
    }
  }

  #take(read: ReadDocument): boolean {
    const { api, config, taken } = this.#parts
    const reserved = reservedOf(api, read.document)
    const converted = convertDocument(read.document, { config, methods: api.config.methods, reserved, taken })
    this.#report(converted, read.refused)
    const before = new Map(this.#plans.map((plan) => [plan.name, plan]))
    const plans = converted.plans.map((plan) => {
      const known = before.get(plan.name)
      return known !== undefined && isDeepStrictEqual(known, plan) ? known : plan
    })
    const isSame = plans.length === this.#plans.length && plans.every((plan, at) => plan === this.#plans[at])
    this.#isRead = true
    this.#failure = undefined
    if (!isSame) this.#plans = plans
    return !isSame
  }

  #report({ operations, plans, leftOut, idle }: Converted, refused: readonly string[]): void {
    const { log } = this.#parts
    const named = this.#named()
    const counts = { operations, tools: plans.length, left_out: leftOut.length }
    log.info({ event: 'openapi.read', ...named, ...counts }, 'An API’s document was read.')
    for (const { operation, why } of leftOut.slice(0, linesMax)) {
      const fields = {
        event: 'openapi.left-out',
        ...named,
        operation: showHidden(operation),
        why: showHidden(why),
      }
      log.warn(fields, 'An operation of an API is no tool.')
    }
    for (const one of idle.slice(0, linesMax))
      log.warn(
        { event: 'openapi.idle-selector', ...named, ...one },
        'A word of the selection fits no operation.',
      )
    if (refused.length === 0) return
    const fields = { event: 'openapi.refused', ...named, refs: refused.slice(0, linesMax).map(showHidden) }
    log.warn({ ...fields, count: refused.length }, 'References of a document were not followed.')
  }

  #named(): { readonly api_name: string } {
    return { api_name: this.api.name }
  }

  #explain(thrown: unknown): WeirError {
    const { name } = this.api
    if (thrown instanceof WeirError && thrown === this.#failure) return thrown
    const { message } = thrown as Error
    const what = `The OpenAPI document of the API ${name} cannot be used: ${showHidden(message).replace(/\.?$/, '.')}`
    const data = { ...(thrown instanceof WeirError ? thrown.data : {}), api_name: name }
    if (thrown instanceof WeirError) {
      const hint = thrown.hint ?? `See \`apis.${name}.openapi.source\`.`
      return new WeirError(thrown.code, what, { hint, data, cause: thrown })
    }
    const hint =
      thrown instanceof TooManyOperations ? thrown.hint : `Correct it, or \`apis.${name}.openapi\`.`
    return new WeirError('OPENAPI_INVALID', what, { hint: showHidden(hint), data, cause: thrown })
  }
}
