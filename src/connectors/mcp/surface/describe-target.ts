import { unusable } from '../upstream-error.ts'
import type { Definition } from './read-list.ts'

const definitionCharsMax = 256 * 1024

/** What targets of every kind take from their definition. */
export interface Described {
  /** By it two definitions are told apart. */
  readonly text: string
  readonly shared: {
    readonly name: string
    readonly title?: string
    readonly description: string
    readonly definition: Definition
  }
}

/** Throws UPSTREAM_PROTOCOL where the definition is too large or its name is no name. */
export function describeTarget(name: string, nameCharsMax: number, definition: Definition): Described {
  if (name.length === 0 || name.length > nameCharsMax)
    throw unusable(`its name has ${name.length} characters`)
  const text = JSON.stringify(definition)
  if (text.length > definitionCharsMax) throw unusable(`its definition has ${text.length} characters`)
  const { title, description } = definition
  return {
    text,
    shared: {
      name,
      ...(typeof title === 'string' ? { title } : {}),
      description: typeof description === 'string' ? description : '',
      definition,
    },
  }
}
