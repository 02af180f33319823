import type { Entry, Listing, Named } from '../../core/catalog.ts'
import { type JsonSchema, jsonSchema } from '../../core/schema.ts'
import type { Tool } from '../../core/tool.ts'
import { createLog } from '../../telemetry/log.ts'
import { createListing, type LiveListing } from '../listing.ts'
import { nameTool } from '../name-tool.ts'

/** A tool as a server would define it. */
export interface Definition {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly category?: string
  readonly inputSchema?: JsonSchema
}

/** What a server offers under a connection's name. */
export function nameDefinition(connection: string, definition: Definition): Named<Tool> {
  const { name, title, description = '', category, inputSchema = { type: 'object' } } = definition
  const target: Tool = {
    kind: 'tool',
    name,
    description,
    effect: 'write',
    input: jsonSchema(inputSchema),
    ...(title === undefined ? {} : { title }),
    ...(category === undefined ? {} : { category }),
    run: async (input) => ({ structuredContent: input }),
  }
  const entry: Entry<Tool> = { id: `${connection}:${name}`, connection, target }
  return { name: nameTool(connection, name), entry }
}

/** A list that a test may replace. */
export function createTools(named: readonly Named<Tool>[]): LiveListing<Tool> {
  const listing = createListing<Tool>(createLog(() => {}))
  listing.replace(named)
  return listing
}

/** A list that counts how often it is read whole. */
export function countReads(listing: Listing<Tool>): {
  readonly listing: Listing<Tool>
  readonly reads: () => number
} {
  let reads = 0
  return {
    reads: () => reads,
    listing: {
      get version() {
        return listing.version
      },
      find: (name) => listing.find(name),
      onChange: (listener) => listing.onChange(listener),
      list: () => {
        reads += 1
        return listing.list()
      },
    },
  }
}
