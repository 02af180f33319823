import type { View } from '../../../core/catalog.ts'

/** What a client is told at its first contact; a toolset says first what it is for. */
export function renderInstructions({ description }: View, instructions: string): string {
  return description === undefined ? instructions : `${description}\n\n${instructions}`
}
