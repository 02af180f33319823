import { type ErrorBody, renderError, type WeirError } from '../core/error.ts'
import { stripControls } from './render-table.ts'

/** What is told of a failure: an error's body, also one that came from another process. */
export type Failure = Pick<ErrorBody, 'message' | 'hint'> & { readonly code?: string }

/** The command's way to say things: data on stdout, everything else on stderr. */
export interface Output {
  /** Whether data is one JSON document, for programs. */
  readonly isJson: boolean
  /** Whether stdout is a terminal, with a person before it. */
  readonly isTerminal: boolean
  /** How wide a table's line may be: as the terminal, where there is one. */
  readonly lineLimit: { readonly lineCharsMax?: number }
  /** Writes data as JSON: on one line for programs, indented for people. */
  json(value: unknown): void
  /** Writes data as text. */
  text(text: string): void
  /** Says something to people; silent where programs read. */
  note(text: string): void
  /** Says something that programs are told too, as a line of JSON under this name. */
  tell(kind: 'note' | 'warning', text: string): void
  /** Says why the command failed. */
  fail(failure: Failure): void
  /** From now on nothing is said to people and of failures without these secrets covered (S16). */
  redactWith(redact: (text: string) => string): void
  /** The same for a text that goes out as data; the answers of tools are their own. */
  redact(text: string): string
}

/** Writes to this process's own streams. What upstreams say is in much of it, and never reaches a terminal raw. */
export function createOutput(isJson: boolean): Output {
  let redact = (text: string) => text
  const say = (text: string) => {
    process.stderr.write(`${redact(stripControls(text))}\n`)
  }
  return {
    isJson,
    isTerminal: process.stdout.isTTY === true,
    lineLimit: process.stdout.isTTY === true ? { lineCharsMax: process.stdout.columns } : {},
    json: (value) => put(isJson ? JSON.stringify(value) : JSON.stringify(value, undefined, 2)),
    text: put,
    note(text) {
      if (!isJson) say(text)
    },
    tell: (kind, text) =>
      say(isJson ? JSON.stringify({ [kind]: text }) : kind === 'note' ? text : `${kind}: ${text}`),
    fail(failure) {
      say(isJson ? JSON.stringify({ error: failure }) : renderFailure(failure))
    },
    redactWith(change) {
      redact = change
    },
    redact: (text) => redact(text),
  }
}

/** JSON escapes only half of what a terminal obeys. */
function put(text: string): void {
  process.stdout.write(`${process.stdout.isTTY === true ? stripControls(text) : text}\n`)
}

/** Never a stack. */
function renderFailure({ message, hint }: Failure): string {
  return hint === undefined ? `error: ${message}` : `error: ${message}\nhint: ${hint}`
}

/** Everything of an error that may leave the process. */
export function toFailure(error: WeirError): Failure {
  return renderError(error)
}

/** A reader that has left (`weir tools | head`) is no failure of ours; what is still written goes nowhere. */
export function ignoreBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    })
  }
}

/** Resolves when everything written to stdout so far has left the process. */
export function drainOutput(): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.destroyed || process.stdout.writableLength === 0) resolve()
    else process.stdout.write('', () => resolve())
  })
}
