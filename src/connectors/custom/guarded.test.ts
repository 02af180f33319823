import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { embedWeir } from '../../app.ts'
import type { Connection } from '../../core/connector.ts'
import { WeirError } from '../../core/error.ts'
import { InputRequired } from '../../core/outcome.ts'
import type { RunContext, Tool } from '../../core/tool.ts'
import { failure, type ModuleFolder, makeModuleFolder, moduleWith } from './module-folder.fixture.ts'

let folder: ModuleFolder
beforeEach(() => {
  folder = makeModuleFolder()
})
afterEach(() => folder.close())

const run = (connection: Connection, input: unknown = {}) =>
  (connection.targets()[0] as Tool).run(input, {} as RunContext)

describe('what a module offers', () => {
  it.each([
    ["[{ ...tool, name: 'Say It' }]", 'offers the tool "Say It", whose name is not snake_case'],
    ["[{ ...tool, name: 'x'.repeat(65) }]", 'whose name is not snake_case'],
    ["[{ ...tool, name: '' }]", 'whose name is not snake_case'],
    ['[{ ...tool, name: undefined }]', 'offers the tool undefined, whose name'],
    ["[{ ...tool, kind: 'resource', name: 'config' }]", 'offers the resource "config", whose name'],
    ["[{ ...tool, kind: 'tol' }]", 'offers a target of kind "tol"'],
    ["[{ ...tool, description: ' ' }]", 'offers the tool "say" without a description'],
    ["[{ ...tool, effect: 'harmless' }]", 'offers the tool "say" with the effect "harmless"'],
    ['[{ ...tool, run: 1 }]', 'offers the tool "say" without a function `run`'],
    ["[{ ...tool, kind: 'resource-template' }]", 'without a function `matches`'],
    ['[{ ...tool, input: {} }]', 'whose input is no Standard Schema'],
    ['[{ ...tool, input: z.string() }]', 'whose input schema describes no object'],
    ["[{ ...tool, output: jsonSchema({ type: 'objekt' }) }]", 'whose output is no Standard Schema'],
    ["[{ ...tool, rateLimit: 'often' }]", 'with a `rateLimit` that is not written like `10/hour`'],
    ["[{ ...tool, confirm: 'yes' }]", 'with a `confirm` that is neither true nor false'],
    ['[{ ...tool, timeoutMs: -1 }]', 'with a `timeoutMs` that is no time'],
    ['[tool, tool]', 'offers the tool "say" twice'],
    ['[null]', 'offers a target that is no object'],
    ['({})', 'offers no list of targets'],
  ])('%s is an error that names the module and the cure, and what was opened is closed', async (targets, message) => {
    folder.write('m.ts', moduleWith(targets, 'globalThis.weirClosed = closed'))
    const error = await failure(folder.open({ module: './m.ts' }))
    expect([error.code, error.data]).toEqual(['CONFIG_INVALID', { module: './m.ts' }])
    expect(error.message).toContain(`The module ./m.ts ${message.startsWith('offers') ? message : ''}`)
    expect(error.message).toContain(message)
    expect(error.hint).not.toBe('')
    expect((globalThis as { weirClosed?: string[] }).weirClosed).toEqual(['now'])
  })

  it.each([
    ['nothing', 'return', 'opens no connection: it lacks targets, check, close'],
    ['a throw', "throw new Error('canary-5')", 'threw Error when it was opened'],
  ])('an `open` with %s is an error too', async (_what, code, message) => {
    folder.write('m.ts', moduleWith('[tool]').replace('return { targets', `${code}\n    return { targets`))
    const error = await failure(folder.open({ module: './m.ts' }))
    expect(error.message).toBe(`The module ./m.ts ${message}.`)
    expect(error.hint).not.toContain('canary-5')
  })

  it('changes: a bad target is left out and logged, the others are served; the list is new only then', async () => {
    folder.write('m.ts', moduleWith('[...now]', 'const now = [tool]\nglobalThis.weirNow = now'))
    const connection = await folder.open({ module: './m.ts' })
    const before = connection.targets()
    expect(connection.targets()).toBe(before)
    const { weirNow } = globalThis as unknown as { weirNow: object[] }
    weirNow.push({ ...weirNow[0], name: 'Bad One' }, { ...weirNow[0], name: 'shout' })
    expect(connection.targets().map(({ name }) => name)).toEqual(['say', 'shout'])
    expect(folder.lines).toContainEqual(
      expect.objectContaining({
        event: 'module.target-left-out',
        cause: expect.stringContaining('"Bad One"'),
      }),
    )
  })

  it('closes once, and its check ends with the signal although it does not listen', async () => {
    const source = moduleWith('[tool]', 'globalThis.weirClosed = closed')
    folder.write('m.ts', source.replace('check: async () => {}', 'check: () => new Promise(() => {})'))
    const connection = await folder.open({ module: './m.ts' })
    const controller = new AbortController()
    const checked = failure(connection.check(controller.signal))
    const reason = new WeirError('CANCELLED', 'enough')
    controller.abort(reason)
    expect(await checked).toBe(reason)
    await Promise.all([connection.close(), connection.close()])
    expect((globalThis as { weirClosed?: string[] }).weirClosed).toEqual(['now'])
  })

  it('an answer that is none is told as the tool’s fault', async () => {
    folder.write('m.ts', moduleWith('[{ ...tool, run: async () => undefined }]'))
    const connection = await folder.open({ module: './m.ts' })
    expect(await failure(run(connection))).toMatchObject({ code: 'INVALID_OUTPUT' })
  })
})

describe('a Weir of the module’s own', () => {
  it('counts as ours: its errors keep code, hint and data, and its questions are asked', async () => {
    rmSync(join(folder.path, 'node_modules/weir'))
    const copy = join(folder.path, 'other-weir')
    mkdirSync(copy)
    cpSync(join(import.meta.dirname, '../../core'), join(copy, 'core'), { recursive: true })
    writeFileSync(
      join(copy, 'package.json'),
      JSON.stringify({ name: 'weir', type: 'module', exports: { './connector': './core/public.ts' } }),
    )
    symlinkSync(copy, join(folder.path, 'node_modules/weir'))
    folder.write(
      'm.ts',
      moduleWith(`[{ ...tool, input: z.strictObject({ what: z.string() }), run: async ({ what }) => {
        if (what === 'ask') return new InputRequired({ q: {} }, 'state')
        if (what === 'odd') throw Object.assign(new WeirError('CANCELLED', 'x'), { code: 'NO_SUCH_CODE' })
        throw new WeirError('UNKNOWN_API', 'There is no such thing.', { hint: 'Take another.', data: { a: 1 } })
      } }]`),
    )
    const connection = await folder.open({ module: './m.ts' })
    const error = await failure(run(connection, { what: 'fail' }))
    expect(error).toBeInstanceOf(WeirError)
    expect(error).toMatchObject({ code: 'UNKNOWN_API', hint: 'Take another.', data: { a: 1 } })
    expect((error.cause as Error).constructor).not.toBe(WeirError)
    expect(await failure(run(connection, { what: 'odd' }))).not.toBeInstanceOf(WeirError)
    const asked = await run(connection, { what: 'ask' })
    expect(asked).toBeInstanceOf(InputRequired)
    expect(asked).toMatchObject({ questions: { q: {} }, resume: 'state' })
  })
})

it('B-91: a bad module stops neither Weir nor another connection', async () => {
  folder.write('bad.ts', 'throw new Error("canary-6")')
  folder.write('hanging.ts', 'await new Promise(() => {})')
  folder.write('good.ts', moduleWith('[tool]'))
  const connections = Object.fromEntries(
    ['bad', 'hanging', 'good'].map((name) => [name, { type: 'custom', module: `./${name}.ts` }]),
  )
  const weir = embedWeir({ baseDir: folder.path, config: { connections, log: { level: 'silent' } } })
  try {
    await weir.catalog.settled(1_500)
    const states = Object.fromEntries(weir.catalog.connections().map(({ name, state }) => [name, state]))
    expect(states).toMatchObject({ good: 'up', bad: 'down' })
    expect(weir.catalog.find('good:say')).toBeDefined()
    const [bad] = weir.catalog.connections().filter(({ name }) => name === 'bad')
    expect(bad!.cause).toBe('The module ./bad.ts threw Error when it was imported.')
  } finally {
    await weir.close(0)
  }
})
