import type { OpenapiDocument } from './document.ts'

/** Where a document comes from, asked again and again. */
export interface DocumentSource {
  /**
   * The document, or undefined where it is as it was read last. Rejects with a WeirError for what could not be reached, and
   * with an Error that says what is wrong for what cannot be used.
   */
  read(signal: AbortSignal): Promise<ReadDocument | undefined>
  close(): Promise<void>
}

/** A document as it was read. */
export interface ReadDocument {
  readonly document: OpenapiDocument
  /** References to other files or hosts that were not followed. */
  readonly refused: readonly string[]
}
