import type { WeirError } from './error.ts'

/** One MCP content block, passed on as it came. */
export type ContentBlock = { readonly type: string; readonly [field: string]: unknown }

/**
 * What a target answers (C-04), under MCP's own field names, so that an upstream's answer
 * passes through untouched, unknown fields included. Without `content`, an edge renders
 * `structuredContent` as one JSON text block.
 */
export interface Result {
  readonly content?: readonly ContentBlock[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
  readonly _meta?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** Questions to the user or the client, by key: each an MCP request (`elicitation/create`, …) without an id. */
export type Questions = Readonly<Record<string, unknown>>

/** The replies by the same keys, and the state that was handed out with the questions. */
export interface InputAnswers {
  readonly responses: Readonly<Record<string, unknown>>
  readonly resume?: string
}

/**
 * What a tool answers that needs its caller's replies first. A class, because an upstream's answer
 * is a plain object and could spell any field, but never this prototype.
 */
export class InputRequired {
  readonly questions: Questions
  /** The tool's own state, opaque to everyone else. Frontends seal it before it leaves. */
  readonly resume: string | undefined

  constructor(questions: Questions, resume?: string) {
    this.questions = questions
    this.resume = resume
  }
}

/** How a call ended. The executor always answers with one of these and never throws. */
export type Outcome =
  | { readonly kind: 'complete'; readonly result: Result }
  | { readonly kind: 'input-required'; readonly required: InputRequired }
  | { readonly kind: 'failed'; readonly error: WeirError }
