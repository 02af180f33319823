import { open, readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineConnector, type Target, WeirError } from 'weir/connector'
import { z } from 'zod'

// A connector for a small inventory of systems, which is kept in one JSON file. It shows what most connectors of your own
// need: a config, a tool that reads, one that writes, a resource, and a store that survives a crash.

const name = 'custom-integration'
const version = '1.0.0'

const config = z.strictObject({
  store: z.string().min(1).describe('The JSON file that holds the systems; relative to the config file.'),
  resultsMax: z.int().min(1).max(1000).default(100).describe('The most systems one query answers with.'),
})
type Config = z.infer<typeof config>

const value = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()])
const entityName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
/** A system: its fields by name. */
const fields = z.record(z.string().min(1).max(64), value)
const stored = z.record(entityName, fields)
type Systems = z.infer<typeof stored>

const systemsMax = 1000
const fieldsMax = 50

const queryInput = z.strictObject({
  query: z
    .string()
    .max(200)
    .describe('Words that a system’s name or its texts must hold, all of them; empty for every system.'),
  filters: fields.optional().describe('Fields and the values they must have exactly, e.g. {"status": "up"}.'),
})
const queryOutput = z.strictObject({
  data: z.array(z.record(z.string(), value)).describe('The systems found, each with its name as `entity`.'),
})
const updateInput = z.strictObject({
  entity: entityName.describe('The system’s name; one that is not there yet is added.'),
  updates: fields.describe('Fields to set; null takes a field away.'),
})
const updateOutput = z.strictObject({ success: z.boolean().describe('True once the change is on disk.') })

export default defineConnector<Config>({
  type: name,
  summary: 'A small inventory of systems in a JSON file.',
  config,
  async open({ store, resultsMax }, { baseDir, signal }) {
    signal.throwIfAborted()
    const inventory = new Inventory(resolve(baseDir, store), resultsMax)
    const targets = [
      createQueryData(inventory),
      createUpdateSystem(inventory),
      createConfigResource(inventory),
    ]
    return {
      targets: () => targets,
      async check(aborted) {
        aborted.throwIfAborted()
        await inventory.loadConfiguration()
      },
      close: () => inventory.settled(),
    }
  },
})

function createQueryData(inventory: Inventory): Target {
  return {
    kind: 'tool',
    name: 'query_data',
    description: 'Finds systems of the inventory by words and by fields.',
    effect: 'read',
    input: queryInput,
    output: queryOutput,
    async run({ query, filters = {} }: z.infer<typeof queryInput>) {
      return { structuredContent: { data: await inventory.executeQuery(query, filters) } }
    },
  } as Target
}

function createUpdateSystem(inventory: Inventory): Target {
  return {
    kind: 'tool',
    name: 'update_system',
    description: 'Sets fields of one system, or adds it.',
    effect: 'idempotent-write',
    input: updateInput,
    output: updateOutput,
    async run({ entity, updates }: z.infer<typeof updateInput>) {
      await inventory.applyUpdates(entity, updates)
      return { structuredContent: { success: true } }
    },
  } as Target
}

function createConfigResource(inventory: Inventory): Target {
  const uri = 'custom://config'
  return {
    kind: 'resource',
    name: uri,
    title: 'System Configuration',
    mimeType: 'application/json',
    description: 'What this integration is, and what its inventory holds.',
    effect: 'read',
    input: z.strictObject({ uri: z.literal(uri).describe('The resource’s own URI.') }),
    async run() {
      const text = JSON.stringify(await inventory.loadConfiguration())
      return { contents: [{ uri, mimeType: 'application/json', text }] }
    },
  } as Target
}

/** The file. It is read for each call, so that it may be edited by hand; writes go one after another. */
class Inventory {
  readonly #path: string
  readonly #resultsMax: number
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(path: string, resultsMax: number) {
    this.#path = path
    this.#resultsMax = resultsMax
  }

  async executeQuery(query: string, filters: Systems[string]): Promise<object[]> {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const found = Object.entries(await this.#read()).filter(([entity, system]) => {
      const texts = [entity, ...Object.values(system)].join('\n').toLowerCase()
      return (
        words.every((word) => texts.includes(word)) &&
        Object.entries(filters).every(([field, wanted]) => (system[field] ?? null) === wanted)
      )
    })
    return found.slice(0, this.#resultsMax).map(([entity, system]) => ({ entity, ...system }))
  }

  applyUpdates(entity: string, updates: Systems[string]): Promise<void> {
    const written = this.#lastWrite.then(async () => {
      const systems = await this.#read()
      const kept = Object.entries({ ...systems[entity], ...updates }).filter(([, each]) => each !== null)
      const next = { ...systems, [entity]: Object.fromEntries(kept) }
      if (kept.length > fieldsMax || Object.keys(next).length > systemsMax) {
        throw new WeirError('INVALID_INPUT', `There would be too many fields or systems.`, {
          hint: `Keep to ${fieldsMax} fields a system and ${systemsMax} systems.`,
        })
      }
      await this.#write(next)
    })
    this.#lastWrite = written.catch(() => {})
    return written
  }

  async loadConfiguration(): Promise<object> {
    const systems = Object.keys(await this.#read()).length
    return {
      name,
      version,
      systems,
      limits: { results: this.#resultsMax, systems: systemsMax, fields: fieldsMax },
    }
  }

  /** Resolves once no write is under way. */
  async settled(): Promise<void> {
    await this.#lastWrite
  }

  async #read(): Promise<Systems> {
    try {
      return stored.parse(JSON.parse(await readFile(this.#path, 'utf8')))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
      throw new WeirError('CONNECTION_UNAVAILABLE', 'The inventory cannot be read.', {
        hint: 'Ask the operator to look at its `store`.',
        cause,
      })
    }
  }

  /** A new file in the place of the old one: after a crash there is the one or the other, whole. */
  async #write(systems: Systems): Promise<void> {
    const next = `${this.#path}.next`
    try {
      const file = await open(next, 'w')
      try {
        await file.writeFile(`${JSON.stringify(systems, null, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(next, this.#path)
    } catch (cause) {
      await rm(next, { force: true })
      throw new WeirError('CONNECTION_UNAVAILABLE', 'The inventory cannot be written.', {
        hint: 'Ask the operator to look at the folder of its `store`.',
        cause,
      })
    }
  }
}
