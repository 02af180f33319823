import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeConnector } from '../../testing/describe-connector.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import {
  createConnector,
  failure,
  type ModuleFolder,
  makeModuleFolder,
  moduleWith,
} from './module-folder.fixture.ts'

const example = join(import.meta.dirname, '../../../examples/custom')

describe('promises', () => {
  let shared: ModuleFolder
  beforeAll(() => {
    shared = makeModuleFolder()
    for (const file of ['my-connector.ts', 'systems.json'])
      cpSync(join(example, file), join(shared.path, file))
    shared.write('broken.json', '{')
  })
  afterAll(() => shared.close())
  const config = (store: string) => ({ module: './my-connector.ts', config: { store } })

  // The module is the shipped example: it keeps every promise of a connector too.
  describeConnector(createConnector(), {
    config: () => config('./systems.json'),
    deadConfig: () => config('./broken.json'),
    baseDir: () => shared.path,
    badConfigs: [
      { config: {}, field: 'module' },
      { config: { module: './a.ts', config: [] }, field: 'config' },
      { config: { module: './a.ts', store: './x.json' }, field: 'store' },
      ...[
        '../a.ts',
        './a/../../a.ts',
        'a\\..\\..\\a.ts',
        '/a.ts',
        '\\\\host\\a.ts',
        'C:\\a.ts',
        'file:///a.ts',
      ].map((module) => ({ config: { module }, field: 'module' })),
      ...[
        './a\u0000.ts',
        './a.ts\u0000',
        'node:fs',
        'data:text/javascript,1',
        'zod',
        './a.json',
        './a.node',
        '.ts',
      ].map((module) => ({ config: { module }, field: 'module' })),
    ],
  })
})

let folder: ModuleFolder
beforeEach(() => {
  folder = makeModuleFolder()
})
afterEach(() => folder.close())

describe('S19: where a module may lie', () => {
  const canary = 'globalThis.weirCanary = "gotcha"\n'
  const outside = () => join(dirname(folder.path), `${folder.path.split('/').at(-1)}-sibling`)

  it.each([
    ['a link to a file', 'file'],
    ['a folder that is a link', 'folder'],
    ['a folder beside it whose name begins like its own', 'sibling'],
  ])('%s leads out, and nothing of it is run', async (_what, how) => {
    const other = how === 'sibling' ? outside() : join(dirname(folder.path), `x${Math.random()}`)
    mkdirSync(other)
    writeFileSync(join(other, 'm.ts'), canary + moduleWith('[tool]'))
    if (how === 'file') symlinkSync(join(other, 'm.ts'), join(folder.path, 'm.ts'))
    else symlinkSync(other, join(folder.path, 'linked'))
    const module = how === 'file' ? './m.ts' : './linked/m.ts'
    const error = await failure(folder.open({ module }))
    rmSync(other, { recursive: true })
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', data: { module } })
    expect(error.message).toBe(`The module ${module} leads out of the config file’s folder.`)
    expect('weirCanary' in globalThis).toBe(false)
  })

  it('a link that stays inside, and a folder below, are fine', async () => {
    folder.write('below/m.mts', moduleWith('[tool]'))
    symlinkSync(join(folder.path, 'below/m.mts'), join(folder.path, 'm.mts'))
    for (const module of ['./m.mts', 'below/m.mts'])
      expect((await folder.open({ module })).targets()).toMatchObject([{ name: 'say' }])
  })
})

describe('a module that cannot be loaded is an error that names it and the cure', () => {
  it.each([
    ['nothing there', undefined, 'is not there, or cannot be read', 'relative to the config file'],
    ['no export', 'export const x = 1', 'has no connector as its default export', 'defineConnector'],
    ['a function', 'export default () => ({})', 'has no connector as its default export', 'defineConnector'],
    [
      'half of one',
      'export default { type: "x" }',
      'it lacks summary, config (a schema), open',
      'defineConnector',
    ],
    ['a throw', 'throw new TypeError("canary-3")', 'threw TypeError when it was imported', 'The log holds'],
    ['a throw of anything', 'throw "canary-3"', 'threw an error when it was imported', 'The log holds'],
    ['broken syntax', 'export default {', 'cannot be loaded: Unexpected token', 'Mend the file'],
    ['what types alone cannot express', 'enum A { b }', 'cannot be loaded: TypeScript enum', 'Mend the file'],
    [
      'a package that is missing',
      'import "left-pad-9"',
      'imports left-pad-9, which is not installed',
      'npm install left-pad-9',
    ],
    [
      'a file that is missing',
      'import "./gone.ts"',
      "cannot be loaded: Cannot find module './gone.ts'",
      'Mend the file',
    ],
  ])('%s', async (_what, source, message, hint) => {
    if (source !== undefined) folder.write('m.ts', source)
    const error = await failure(folder.open({ module: './m.ts' }))
    expect([error.code, error.message]).toEqual([
      'CONFIG_INVALID',
      expect.stringContaining('The module ./m.ts '),
    ])
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
    expect(error.message + error.hint).not.toContain(folder.path)
    expect(error.message + error.hint).not.toContain('canary-3')
  })

  it('and loads once it is mended; what it threw stands in the log', async () => {
    folder.write('m.ts', 'throw new Error("canary-3")')
    await failure(folder.open({ module: './m.ts' }))
    expect(JSON.stringify(folder.lines)).toContain('canary-3')
    folder.write('m.ts', moduleWith('[tool]'))
    expect((await folder.open({ module: './m.ts' })).targets()).toMatchObject([{ name: 'say' }])
  })

  it('an import that never ends is given up after ten seconds', async () => {
    folder.write('m.ts', 'await new Promise(() => {})')
    const clock = createFakeClock()
    const failed = failure(folder.open({ module: './m.ts' }, { clock }))
    for (let turn = 0; turn < 500 && clock.pendingMs.length === 0; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    await clock.advance(10_000)
    expect(await failed).toMatchObject({
      message: 'The module ./m.ts did not end its import within 10 s.',
      hint: expect.stringContaining('`open`'),
    })
  })

  it('an import that is under way ends when Weir stops', async () => {
    folder.write('m.ts', 'await new Promise(() => {})')
    const controller = new AbortController()
    const failed = failure(folder.open({ module: './m.ts' }, { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('stopping')), 100)
    expect((await failed).message).toBe('stopping')
  })
})

describe('a changed module', () => {
  it('takes effect when its connection is opened again', async () => {
    folder.write('m.ts', moduleWith('[tool]'))
    const first = await folder.open({ module: './m.ts' })
    folder.write('m.ts', moduleWith("[{ ...tool, name: 'shout' }]"))
    const second = await folder.open({ module: './m.ts' })
    const names = [first, second].map((connection) => connection.targets().map(({ name }) => name))
    expect(names).toEqual([['say'], ['shout']])
  })

  it('that did not change is the same module', async () => {
    folder.write('m.ts', moduleWith('[tool]', 'globalThis.weirLoads = (globalThis.weirLoads ?? 0) + 1'))
    await folder.open({ module: './m.ts' })
    await folder.open({ module: './m.ts' })
    expect((globalThis as { weirLoads?: number }).weirLoads).toBe(1)
  })
})

describe('the config of a module', () => {
  it('is checked by its own schema, and every fault is named by its path', async () => {
    folder.write('m.ts', moduleWith('[tool]'))
    const config = { word: 'x', list: [{ n: 1 }, { n: 'canary-4' }], wrod: 1 }
    const error = await failure(folder.open({ module: './m.ts', config }))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(/^The module \.\/m\.ts refuses its config: /)
    const problems = error.data?.['problems'] as readonly { path: string }[]
    expect(problems.map(({ path }) => path).sort()).toEqual(['config.list.1.n', 'config.word', 'config.wrod'])
    expect(JSON.stringify(error.data) + error.message).not.toContain('canary-4')
  })

  it.each([
    ['raw JSON Schema', "jsonSchema({ type: 'object', properties: { a: { type: 'integer' } } })", 'config.a'],
    [
      'a schema that only parses',
      "{ ...jsonSchema({}), parse(v) { if (v.a !== 1) throw Object.assign(new Error('no'), { issues: [{ path: ['a'], message: 'not one' }] }); return v } }",
      'config.a',
    ],
    [
      'a Standard Schema that takes its time',
      "{ '~standard': { version: 1, vendor: 'x', jsonSchema: { input: () => ({}) }, validate: async (v) => v.a === 1 ? { value: v } : { issues: [{ message: 'no', path: [{ key: 'a' }] }] } } }",
      'config.a',
    ],
  ])('may have %s', async (_what, schema, path) => {
    folder.write('m.ts', moduleWith('[tool]').replace(/config: z\.strict.*\n/, `config: ${schema},\n`))
    const error = await failure(folder.open({ module: './m.ts', config: { a: 'x' } }))
    expect(error.data?.['problems']).toMatchObject([{ path }])
    await folder.open({ module: './m.ts', config: { a: 1 } })
  })
})
