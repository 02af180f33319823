import { renderErrorReference } from './render-error-reference.ts'

/** A file that is written from the code, so that the two cannot differ. */
export interface Reference {
  /** From the repository's root. */
  readonly path: string
  /** The whole text, the same at every run. */
  readonly render: () => string
}

/** Every generated file: `write-reference.ts` writes them, and a test compares. */
export const references: readonly Reference[] = [{ path: 'docs/errors.md', render: renderErrorReference }]
