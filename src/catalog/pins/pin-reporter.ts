import { type ChangeLimits, describeChange } from '../../core/describe-change.ts'
import type { Logger } from '../../core/logger.ts'
import { isStorable, keyOf, type PinBook } from './pin-book.ts'
import type { PinnedDefinition } from './pinned-definition.ts'

const linesMax = 20
/** Findings that are remembered as told. */
const toldMax = 20_000
const codePointsMax = 10
const diffLimits: ChangeLimits = { linesMax: 20, valueCharsMax: 200 }

/** One target that was looked at: what was taken out of it, or why it is left out. */
export interface Inspection {
  readonly kind: string
  readonly name: string
  readonly removed: readonly string[]
  readonly refusal?: string
}

/** Tells the log of each finding once, and of a flood in a bounded number of lines. */
export class PinReporter {
  readonly #connection: string
  readonly #log: Logger
  /** What was told last of each definition; forgotten once all is well with it. */
  readonly #toldInspections = new Map<string, string>()
  readonly #toldChanges = new Map<string, string>()

  constructor(connection: string, log: Logger) {
    this.#connection = connection
    this.#log = log
  }

  /** What was hidden in definitions. */
  inspected(inspections: readonly Inspection[]): void {
    const fresh = inspections.filter((inspection) => {
      const { removed, refusal = '' } = inspection
      const finding =
        removed.length === 0 && refusal === '' ? undefined : [refusal, ...summarize(removed)].join(' ')
      return isNews(this.#toldInspections, keyOf(inspection), finding)
    })
    this.#each(fresh, 'definition.hidden-text', (finding) => {
      const { kind, name, refusal, removed } = finding
      const named = { connection: this.#connection, kind, name: name.slice(0, 200) }
      if (refusal === undefined) {
        const fields = { event: 'definition.cleaned', ...named, codePoints: summarize(removed) }
        this.#log.warn(fields, 'A definition hid characters; it is served without them.')
      } else {
        const fields = { event: 'definition.refused', ...named, why: refusal }
        this.#log.warn(fields, 'A definition hides characters where they must stay; it is not served.')
      }
    })
  }

  /** What differs from what is approved, as it is before anything is written. */
  differs(offered: readonly PinnedDefinition[], book: PinBook, isServed: boolean): void {
    const fresh = offered.filter((definition) =>
      isNews(this.#toldChanges, keyOf(definition), book.isApproved(definition) ? undefined : definition.hash),
    )
    this.#each(fresh, isServed ? 'definition.differs' : 'definition.quarantined', (definition) => {
      const { kind, name, text } = definition
      const approved = book.find(definition, 'approved')
      const fields = {
        event: isServed ? 'definition.differs' : 'definition.quarantined',
        ...{ connection: this.#connection, kind, name: name.slice(0, 200) },
        change: approved === undefined ? 'new' : 'changed',
        diff: describeChange(approved?.definition, text, diffLimits),
        ...(isStorable(definition) ? {} : { tooLarge: true }),
      }
      const message = isServed
        ? 'A definition is not the one that was pinned; it is served and pinned as it is now.'
        : 'A definition waits for approval and is not served; see `weir pins`.'
      this.#log.warn(fields, message)
    })
  }

  #each<T>(found: readonly T[], event: string, tell: (finding: T) => void): void {
    for (const finding of found.slice(0, linesMax)) tell(finding)
    if (found.length <= linesMax) return
    const fields = { event, connection: this.#connection, more: found.length - linesMax }
    this.#log.warn(fields, 'There are more such definitions.')
  }
}

/** Whether a finding is another one than was told last under this key; `undefined`: nothing is found. */
function isNews(told: Map<string, string>, key: string, finding: string | undefined): boolean {
  if (finding === undefined) {
    told.delete(key)
    return false
  }
  if (told.get(key) === finding) return false
  if (told.size >= toldMax) told.clear()
  told.set(key, finding)
  return true
}

/** `U+200B ×3`, the most frequent first. */
function summarize(removed: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const codePoint of removed) counts.set(codePoint, (counts.get(codePoint) ?? 0) + 1)
  const all = [...counts].sort(([, a], [, b]) => b - a)
  const shown = all.slice(0, codePointsMax).map(([codePoint, count]) => `${codePoint} ×${count}`)
  return all.length > codePointsMax ? [...shown, `and ${all.length - codePointsMax} others`] : shown
}
