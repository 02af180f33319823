import type { Pin, PinDecision } from '../../core/stores.ts'
import type { PinnedDefinition } from './pinned-definition.ts'

/** Pins of one connection; beyond it those of definitions that are no longer offered go, the oldest first. */
const limits = { pinsMax: 20_000, bytesMax: 64 * 1024 * 1024 }
/** What a store keeps of one pin. */
const [definitionBytesMax, nameBytesMax] = [1_000_000, 4_096]

/** Who decides on definitions that no operator has decided on. */
export interface PinRules {
  readonly connection: string
  /** Whether what is new or changed is approved without anybody's word. */
  readonly approvesAll: boolean
  /** Whether the first that a connection ever offers is. */
  readonly trustsFirst: boolean
}

/** What has to be written so that the store says what was decided. */
export interface PinPlan {
  readonly put: readonly Pin[]
  readonly remove: readonly Pin[]
}

/** A name that no two definitions of one connection share. */
export function keyOf({ kind, name }: Pick<Pin, 'kind' | 'name'>): string {
  return `${kind} ${name}`
}

/** What is durably decided about the definitions of one connection. */
export class PinBook {
  readonly #pins = new Map<string, Pin>()
  #bytes = 0

  constructor(pins: readonly Pin[]) {
    for (const pin of pins) this.#set(pin)
  }

  get isEmpty(): boolean {
    return this.#pins.size === 0
  }

  find(definition: Pick<Pin, 'kind' | 'name'>, decision: PinDecision): Pin | undefined {
    return this.#pins.get(`${decision} ${keyOf(definition)}`)
  }

  isApproved(definition: PinnedDefinition): boolean {
    return this.find(definition, 'approved')?.hash === definition.hash
  }

  /** Takes in what was written. */
  apply({ put, remove }: PinPlan): void {
    for (const pin of remove) this.#delete(pin)
    for (const pin of put) this.#set(pin)
  }

  /** What has yet to be written, for what is offered now. Empty where all is decided and written. */
  plan(offered: readonly PinnedDefinition[], rules: PinRules, now: number): PinPlan {
    const put: Pin[] = []
    const remove: Pin[] = []
    const approves = rules.approvesAll || (rules.trustsFirst && this.isEmpty)
    const current = new Map(offered.map((definition) => [keyOf(definition), definition]))
    for (const definition of current.values()) {
      const waiting = this.find(definition, 'quarantined')
      if (this.isApproved(definition) || approves) {
        if (waiting !== undefined) remove.push(waiting)
        if (this.isApproved(definition) || !isStorable(definition)) continue
        const decidedBy = rules.approvesAll ? 'on sight' : 'on first use'
        put.push({ ...pinOf(definition, rules, now), decision: 'approved', decidedAt: now, decidedBy })
      } else if (waiting?.hash !== definition.hash && isStorable(definition)) {
        put.push({ ...pinOf(definition, rules, now), decision: 'quarantined' })
      }
    }
    return this.#fit(put, remove, current)
  }

  /** Within the bounds: without what vanished longest ago, and where that is not enough, without what came last. */
  #fit(put: readonly Pin[], remove: readonly Pin[], current: ReadonlyMap<string, unknown>): PinPlan {
    let count = this.#pins.size + put.length
    let bytes = this.#bytes + put.reduce((sum, pin) => sum + sizeOf(pin), 0)
    const isOver = () => count > limits.pinsMax || bytes > limits.bytesMax
    if (!isOver()) return { put, remove }
    const gone: Pin[] = []
    const take = (pin: Pin) => {
      count -= 1
      bytes -= sizeOf(pin)
    }
    const vanished = [...this.#pins.values()].filter((pin) => !current.has(keyOf(pin)))
    for (const pin of vanished.sort((a, b) => a.seenAt - b.seenAt)) {
      if (!isOver()) break
      gone.push(pin)
      take(pin)
    }
    const kept = [...put]
    while (isOver() && kept.length > 0) take(kept.pop()!)
    return { put: kept, remove: [...remove, ...gone] }
  }

  #set(pin: Pin): void {
    this.#delete(pin)
    this.#pins.set(`${pin.decision} ${keyOf(pin)}`, pin)
    this.#bytes += sizeOf(pin)
  }

  #delete(pin: Pin): void {
    const key = `${pin.decision} ${keyOf(pin)}`
    const known = this.#pins.get(key)
    if (known === undefined) return
    this.#bytes -= sizeOf(known)
    this.#pins.delete(key)
  }
}

function pinOf({ kind, name, hash, text }: PinnedDefinition, { connection }: PinRules, now: number) {
  return { connection, kind, name, hash, definition: text, seenAt: now }
}

/** Whether it is small enough to be kept; what is not is never approved. */
export function isStorable({ name, text }: PinnedDefinition): boolean {
  return Buffer.byteLength(name) <= nameBytesMax && Buffer.byteLength(text) <= definitionBytesMax
}

function sizeOf({ name, definition }: Pin): number {
  return name.length + definition.length
}
