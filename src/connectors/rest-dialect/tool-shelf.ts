import { isDeepStrictEqual } from 'node:util'
import { showHidden } from '../../core/hidden-text.ts'
import type { Logger } from '../../core/logger.ts'
import type { Tool } from '../../core/tool.ts'
import type { Definition } from './definition.ts'

const linesMax = 20

/** A definition, and the tool that was made of it. */
interface Shelved {
  readonly definition: Definition
  readonly tool: Tool
}

/** The tools of one server now. A tool whose definition stayed the same stays the same object. */
export class ToolShelf {
  readonly #convert: (definition: Definition) => Tool
  readonly #log: Logger
  #byName = new Map<string, Shelved>()
  #tools: readonly Tool[] = []

  constructor(convert: (definition: Definition) => Tool, log: Logger) {
    this.#convert = convert
    this.#log = log
  }

  get tools(): readonly Tool[] {
    return this.#tools
  }

  /** Takes what there is now instead of what there was (B-131), and says whether that is another list. */
  replace(definitions: readonly Definition[]): boolean {
    const before = this.#byName
    const drifted: { readonly tool: string; readonly changed: readonly string[] }[] = []
    this.#byName = new Map()
    for (const definition of definitions) {
      const known = before.get(definition.name)
      const changed = known === undefined ? [] : listChanges(known.definition, definition)
      if (known !== undefined && changed.length === 0) this.#byName.set(definition.name, known)
      else this.#byName.set(definition.name, { definition, tool: this.#convert(definition) })
      if (changed.length > 0) drifted.push({ tool: definition.name, changed })
    }
    const now = [...this.#byName.values()].map(({ tool }) => tool)
    const isSame = now.length === this.#tools.length && now.every((tool, i) => tool === this.#tools[i])
    if (isSame) return false
    this.#tools = now
    if (before.size > 0) this.#report(drifted, [...before.keys()])
    return true
  }

  #report(
    drifted: readonly { readonly tool: string; readonly changed: readonly string[] }[],
    before: readonly string[],
  ): void {
    for (const { tool, changed } of drifted.slice(0, linesMax))
      this.#log.warn(
        { event: 'tool.drift', tool: showHidden(tool), changed },
        'A tool of a server is defined otherwise now.',
      )
    const vanished = before.filter((name) => !this.#byName.has(name))
    const known = new Set(before)
    const appeared = [...this.#byName.keys()].filter((name) => !known.has(name))
    const fields = {
      event: 'tools.changed',
      drifted: drifted.length,
      vanished: vanished.slice(0, linesMax).map(showHidden),
      appeared: appeared.slice(0, linesMax).map(showHidden),
      tools: this.#byName.size,
    }
    this.#log.info(fields, 'A server has other tools now.')
  }
}

/** The fields that differ. */
function listChanges(before: Definition, after: Definition): readonly string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Definition>
  return [...fields].filter((field) => !isDeepStrictEqual(before[field], after[field]))
}
