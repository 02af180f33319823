/** What every case is measured with; the command line sets it. */
export interface Bench {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Says on stderr what runs now. */
  progress(text: string): void
}

/** One number of performance.md, with its two sides' own medians. */
export interface Measured {
  readonly value: number
  readonly subject: number
  readonly baseline: number
  /** Facts to print beside the row: who was at the limit of its core, what the cold start took. */
  readonly notes?: readonly string[]
}

/** One line of the table: what is measured and what it must reach. */
export interface RowSpec {
  readonly era?: Era
  /** The unit of `value`, and what tells two rows of one id apart. */
  readonly unit: string
  /** The unit of `subject` and `baseline`. */
  readonly sides: '/s' | 'ms' | 'MB'
  readonly better: 'higher' | 'lower'
  readonly bar: number
  readonly goal: number | null
  measure(bench: Bench): Promise<Measured>
}

/** One id of performance.md. */
export interface Case {
  readonly id: string
  readonly title: string
  readonly rows: readonly RowSpec[]
}

/** The two revisions that stand for the two eras of the protocol. */
export const eras = ['2026-07-28', '2025-11-25'] as const
export type Era = (typeof eras)[number]
