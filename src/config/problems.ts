import { WeirError } from '../core/error.ts'
import { type Path, renderPath } from './path.ts'
import type { Secrets } from './secrets.ts'

const problemsMax = 50
const warningsMax = 50

/** Where something stands in the file's text; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One thing that is wrong with a configuration, as `data.problems` of CONFIG_INVALID carries it. */
export interface Problem extends Position {
  /** The config path, `connections.database.url`; empty where the text itself is at fault. */
  readonly path: string
  readonly message: string
  /** What to do about it, to follow the message after a semicolon. */
  readonly hint?: string
}

/**
 * Everything wrong with one file, so that it is told at once: 50 problems and 50 warnings, the rest
 * are counted. Nothing leaves unredacted.
 */
export class Problems {
  readonly #file: string
  readonly #secrets: Secrets
  readonly #found = new Map<string, Problem>()
  readonly #warnings: string[] = []
  #leftOut = 0

  constructor(file: string, secrets: Secrets) {
    this.#file = file
    this.#secrets = secrets
  }

  get isEmpty(): boolean {
    return this.#found.size === 0
  }

  /** What to tell the operator although the file is valid; redacted. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** Adds a problem; the same one said twice counts once. */
  add(path: Path, position: Position, message: string, hint?: string): void {
    const problem = { path: renderPath(path), ...position, message, ...(hint === undefined ? {} : { hint }) }
    const key = `${problem.path}\n${message}`
    if (this.#found.has(key)) return
    if (this.#found.size < problemsMax) this.#found.set(key, problem)
    else this.#leftOut++
  }

  warn(path: Path, position: Position, message: string): void {
    if (this.#warnings.length >= warningsMax) return
    const line = this.#line({ path: renderPath(path), ...position, message })
    this.#warnings.push(this.#secrets.redact(line))
  }

  /** Throws CONFIG_INVALID, a line a problem in the file's order, if there is any. */
  throwIfAny(): void {
    if (this.isEmpty) return
    const problems = [...this.#found.values()]
      .sort((a, b) => a.line - b.line || a.column - b.column)
      .map((problem) => this.#redact(problem))
    const lines = problems.map((problem) => this.#line(problem))
    if (this.#leftOut > 0) lines.push(`and ${this.#leftOut} more`)
    throw new WeirError('CONFIG_INVALID', this.#secrets.redact(lines.join('\n')), {
      hint: 'Correct the file, then check it with `weir validate`.',
      data: { problems },
    })
  }

  #line(problem: Problem): string {
    const place = `${this.#file}:${problem.line}:${problem.column}`
    const path = problem.path === '' ? '' : ` ${problem.path}:`
    const hint = problem.hint === undefined ? '' : `; ${problem.hint}`
    return `${place}${path} ${problem.message}${hint}`
  }

  #redact(problem: Problem): Problem {
    return {
      ...problem,
      path: this.#secrets.redact(problem.path),
      message: this.#secrets.redact(problem.message),
      ...(problem.hint === undefined ? {} : { hint: this.#secrets.redact(problem.hint) }),
    }
  }
}
