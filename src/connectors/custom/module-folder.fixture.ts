import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type CompileFunctionOptions, compileFunction, constants } from 'node:vm'
import { expect } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import type { Connection } from '../../core/connector.ts'
import type { WeirError } from '../../core/error.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { createLog } from '../../telemetry/log.ts'
import { createCustomConnector } from './custom.ts'

const root = join(import.meta.dirname, '../../..')

/** An operator's folder, outside the repository, in which Weir and Zod are installed. */
export interface ModuleFolder {
  readonly path: string
  /** What the log was told. */
  readonly lines: Record<string, unknown>[]
  write(file: string, source: string): void
  open(config: Record<string, unknown>, more?: OpenOptions): Promise<Connection>
  close(): Promise<void>
}

interface OpenOptions {
  readonly clock?: Clock
  readonly signal?: AbortSignal
}

/** Node's own import: the test runner puts another in the place of every `import()` that it sees. */
const nativeImport = compileFunction('return import(url)', ['url'], {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
} as CompileFunctionOptions) as (url: string) => Promise<unknown>

/** The connector as Weir has it. */
export const createConnector = (clock?: Clock) =>
  createCustomConnector({
    importModule: nativeImport,
    compileSchema: compileJsonSchema,
    ...(clock === undefined ? {} : { clock }),
  })

export function makeModuleFolder(): ModuleFolder {
  const path = mkdtempSync(join(tmpdir(), 'weir-module-'))
  mkdirSync(join(path, 'node_modules'))
  symlinkSync(root, join(path, 'node_modules/weir'))
  symlinkSync(join(root, 'node_modules/zod'), join(path, 'node_modules/zod'))
  const lines: Record<string, unknown>[] = []
  const log = createLog((line) => void lines.push(JSON.parse(line)))
  log.configure({ level: 'debug', format: 'json', redact: (line) => line })
  const opened: Connection[] = []
  let writes = 0
  return {
    path,
    lines,
    write(file, source) {
      const whole = join(path, file)
      mkdirSync(dirname(whole), { recursive: true })
      writeFileSync(whole, source)
      // Each write has a time of its own, however fast they follow each other.
      writes += 1
      utimesSync(whole, new Date(), new Date(Date.now() + writes * 1_000))
    },
    async open(config, { clock, signal = new AbortController().signal } = {}) {
      const connector = createConnector(clock)
      const context = { name: 'own', baseDir: path, log, signal }
      const connection = await connector.open(connector.config.parse(config), context)
      opened.push(connection)
      return connection
    },
    async close() {
      await Promise.all(opened.map((connection) => connection.close()))
      rmSync(path, { recursive: true })
    },
  }
}

/** A module with `targets` in place of its own, and `more` before it. */
export const moduleWith = (targets: string, more = '') => `
import { defineConnector, InputRequired, jsonSchema, WeirError } from 'weir/connector'
import { z } from 'zod'
const none = z.strictObject({})
const tool = { kind: 'tool', name: 'say', description: 'Says it.', effect: 'read', input: none,
  run: async () => ({ structuredContent: { said: 'it' } }) }
const closed: string[] = []
${more}
export default defineConnector({
  type: 'own', summary: 'A test.',
  config: z.strictObject({ word: z.string().min(2).optional(), list: z.array(z.strictObject({ n: z.int() })).optional() }),
  async open(config, context) {
    return { targets: () => ${targets}, check: async () => {}, close: async () => { closed.push('now') } }
  },
})
`

/** The error of what must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It went well.'),
    (thrown: WeirError) => thrown,
  )
