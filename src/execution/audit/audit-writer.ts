import { type AuditDraft, type AuditStore, continueDraft, encodeDraft } from '../../core/audit.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { toWeirError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'

/** What the writer writes to, and by which time. */
export interface AuditWriterParts {
  readonly store: Pick<AuditStore, 'append'>
  readonly clock: Clock
  readonly log: Logger
  readonly limits?: AuditLimits
}

/** How much waits to be written while the store takes nothing. */
export interface AuditLimits {
  readonly recordsMax: number
  readonly charsMax: number
}

/** A second or more of the busiest gateway. */
const defaultLimits: AuditLimits = { recordsMax: 16_384, charsMax: 16 * 1024 * 1024 }
const batchMs = 100
const retryMs = 1_000
const denialsMs = 1_000
const denialsMax = 1_024
/** Written together at most; more go in the next batch, at once. */
const batchRecordsMax = 1_000
const batchCharsMax = 4 * 1024 * 1024
/** Where trying again is of no use: the records are given up, and said to be lost. */
const hopeless: ReadonlySet<string> = new Set(['INTERNAL', 'STORE_VALUE_TOO_LARGE'])

/** Takes what calls leave behind, and brings it to the store: at once where a call waits for it, in batches elsewhere. */
export class AuditWriter {
  readonly #store: AuditWriterParts['store']
  readonly #clock: Clock
  readonly #log: Logger
  readonly #limits: AuditLimits
  #waiting: string[] = []
  #chars = 0
  #lost = 0
  #timer: Timer | undefined
  #flushing: Promise<void> | undefined
  #isFailing = false
  readonly #denials = new Map<string, { readonly draft: AuditDraft; count: number }>()
  #denialTimer: Timer | undefined

  constructor({ store, clock, log, limits = defaultLimits }: AuditWriterParts) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#limits = limits
  }

  /** How many records wait, and how many were given up and are not yet told of. */
  get pending(): { readonly waiting: number; readonly lost: number } {
    return { waiting: this.#waiting.length, lost: this.#lost }
  }

  /** Resolves when the record is durable. */
  writeNow(draft: AuditDraft): Promise<void> {
    return this.#store.append([encodeDraft(draft)])
  }

  /** Keeps the record for the next batch; fields that many have in common may come encoded, from `beginDraft`. Where too many wait, it is counted as lost: a read never waits for the audit. */
  note(draft: Partial<AuditDraft>, begun = '{'): void {
    this.#push(continueDraft(begun, draft), this.#limits.recordsMax)
    this.#flushIn(batchMs)
  }

  /** The same, without waiting for more, for what has had an effect; it has as much room again as reads can fill. */
  noteEffect(draft: AuditDraft): void {
    this.#push(encodeDraft(draft), this.#limits.recordsMax * 2)
    if (!this.#isFailing && this.#flushing === undefined) this.#flush()
    else this.#flushIn(this.#isFailing ? retryMs : batchMs)
  }

  /** Sums refusals of one kind by caller and tool, and notes them down once a second. */
  noteDenial(draft: AuditDraft): void {
    const key = JSON.stringify([draft.subject, draft.tenant, draft.tool, draft.error])
    const known = this.#denials.get(key)
    if (known !== undefined) {
      known.count += 1
      return
    }
    if (this.#denials.size >= denialsMax) this.#noteDenials()
    this.#denials.set(key, { draft, count: 1 })
    this.#denialTimer ??= this.#clock.setTimer(() => this.#noteDenials(), denialsMs)
  }

  /** Writes what is left, as far as the store takes it. */
  async close(): Promise<void> {
    this.#noteDenials()
    this.#timer?.cancel()
    await this.#flushing
    this.#flush()
    await this.#flushing
    this.#timer?.cancel()
    const lost = this.#waiting.length + this.#lost
    if (lost > 0) this.#log.error({ event: 'audit.lost', records: lost }, 'Records of the audit are lost.')
  }

  #push(text: string, recordsMax: number): void {
    if (this.#waiting.length >= recordsMax || this.#chars + text.length > this.#limits.charsMax) {
      if (this.#lost === 0) {
        this.#log.error({ event: 'audit.full' }, 'The audit cannot be written; records are lost from now on.')
      }
      this.#lost += 1
      return
    }
    this.#waiting.push(text)
    this.#chars += text.length
  }

  #noteDenials(): void {
    this.#denialTimer?.cancel()
    this.#denialTimer = undefined
    for (const { draft, count } of this.#denials.values()) this.note({ ...draft, count })
    this.#denials.clear()
  }

  #flushIn(delayMs: number): void {
    this.#timer ??= this.#clock.setTimer(() => {
      this.#timer = undefined
      this.#flush()
    }, delayMs)
  }

  #flush(): void {
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined
    })
  }

  async #writeAll(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    while (this.#waiting.length > 0 || this.#lost > 0) {
      const batch = this.#takeBatch()
      const lost = this.#lost
      const told = lost === 0 ? batch : [...batch, this.#encodeLost(lost)]
      try {
        await this.#store.append(told)
        this.#lost -= lost
        this.#recover(lost)
      } catch (thrown) {
        if (this.#fail(thrown, batch)) return
      }
    }
  }

  #takeBatch(): string[] {
    let chars = 0
    let count = 0
    for (const text of this.#waiting) {
      chars += text.length
      if (count === batchRecordsMax || (count > 0 && chars > batchCharsMax)) {
        chars -= text.length
        break
      }
      count += 1
    }
    this.#chars -= chars
    return this.#waiting.splice(0, count)
  }

  /** Whether to wait before the next attempt. A batch that may have been written is written again: twice is better than never. */
  #fail(thrown: unknown, batch: readonly string[]): boolean {
    const { code, message, cause } = toWeirError(thrown)
    if (hopeless.has(code)) {
      this.#log.error({ event: 'audit.lost', records: batch.length, code, cause }, message)
      this.#lost += batch.length
      // What tells of the loss may fail in the same way, and must not be tried for ever.
      if (batch.length > 0) return false
    } else {
      this.#waiting = [...batch, ...this.#waiting]
      for (const text of batch) this.#chars += text.length
    }
    if (!this.#isFailing) this.#log.error({ event: 'audit.unavailable', code, cause }, message)
    this.#isFailing = true
    this.#flushIn(retryMs)
    return true
  }

  #recover(lost: number): void {
    if (lost > 0) this.#log.warn({ event: 'audit.lost', records: lost }, 'Records of the audit were lost.')
    if (this.#isFailing) this.#log.info({ event: 'audit.back' }, 'The audit is written again.')
    this.#isFailing = false
  }

  #encodeLost(count: number): string {
    return encodeDraft({ kind: 'lost', at: this.#clock.now(), count })
  }
}
