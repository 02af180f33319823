import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDeadFiles, checkDocComments, checkUnusedExports } from './house/exports.ts'
import { type Finding, renderFinding } from './house/finding.ts'
import { type Fault, placeOf, places, plant } from './house/plant.ts'
import { checkFileSizes, checkFunctionSizes, checkShortFunctions, limits } from './house/sizes.ts'
import { checkFileNames, checkTypeNames } from './house/syntax.ts'
import { readTree, type Tree } from './house/tree.ts'
import { checkForeignWords, checkSuppressions } from './house/words.ts'

const checks: Readonly<Record<string, (tree: Tree) => readonly Finding[]>> = {
  'files short': checkFileSizes,
  'functions short': checkFunctionSizes,
  'half of the functions of src very short': checkShortFunctions,
  'file names kebab-case and telling': checkFileNames,
  'type names telling': checkTypeNames,
  'no export unused': checkUnusedExports,
  'no file dead': checkDeadFiles,
  'every exported thing documented': checkDocComments,
  'the type checker on': checkSuppressions,
  'no word that means nothing elsewhere': checkForeignWords,
}

const rules = [
  'file-size',
  'function-size',
  'short-functions',
  'kebab-case',
  'empty-name',
  'i-prefix',
  'unused-export',
  'dead-file',
  'doc-comment',
  'no-any',
  'no-suppression',
  'foreign-word',
  'lock-host',
]

describe('this tree', () => {
  const tree = readTree(join(import.meta.dirname, '..'))
  it.each(Object.entries(checks))('keeps %s', (_, check) => {
    expect(check(tree).map(renderFinding)).toEqual([])
  })
})

const lines = (count: number, line = '//') => `${line}\n`.repeat(count)
const body = (count: number) => `{\n${lines(count - 2)}}`
const { fileLinesMax, testLinesMax, functionLinesMax, shortFunctionLinesMax } = limits

/** A small tree at the limits of every rule. */
const clean: Tree = new Map(
  Object.entries({
    'package.json':
      '{"exports": {".": "./src/app.ts", "./connector": {"default": "./src/core/connector.ts"}}}',
    'package-lock.json':
      '{"packages": {"node_modules/a": {"version": "1.0.0"}, "b": {"resolved": "runtime"}}}',
    'docs/guide.md': 'See /network/ and src/work/ and ./work/.',
    'bin/weir.js': `await import('../src/cli/main.ts')`,
    'src/app.ts': [
      `import { call, type Input } from './core/call.ts'`,
      `export { Timer } from './core/clock.ts'`,
      `import * as all from './core/all.ts'`,
      `new Worker(new URL('./core/sum.worker.ts', import.meta.url))`,
      `const { lazy } = await import('./core/lazy.ts')`,
      `const late = (await import('./core/late.ts')).late`,
      `type Typed = import('./core/typed.ts').Typed`,
    ].join('\n'),
    'src/cli/main.ts': '',
    'src/core/connector.ts': '/** Offered to everybody. */\nexport function defineConnector() {}',
    'src/core/all.ts': '/** One. */\nexport const one = 1\n/** Two. */\nexport const two = 2',
    'src/core/lazy.ts': '/** Lazy. */\nexport const lazy = 1',
    'src/core/late.ts': '/** Late. */\nexport const late = 1',
    'src/core/typed.ts': '/**\n * Typed, at length.\n */\nexport type Typed = 1',
    'src/core/sum.worker.ts': '/** For nobody by name. */\nexport const sum = 1',
    'src/core/clock.ts': '/** Passed on by a door. */\nexport class Timer {}',
    'src/core/call.ts': [
      '/** What call takes: only its signature speaks of it. */',
      'export interface Options { level: Level }',
      '/** Spoken of by Options. */',
      'export type Level = 1',
      '/** Documented. */',
      'export const levels = [1] as const',
      'export type Input = (typeof levels)[number]',
      '/** The overloads share one comment. */',
      'export function call(options: Options): void',
      `export function call(input: unknown): void ${body(shortFunctionLinesMax)}`,
      '// biome-ignore lint/suspicious/noExplicitAny: foreign types.',
      'const foreign: any = levels',
    ].join('\n'),
    'src/core/call.test.ts': `describe.skipIf(no)('x', () => ${body(testLinesMax - 3)})\n// @ts-expect-error it must not compile`,
    'src/store/full.ts': `export const used = 1\n${lines(fileLinesMax - 1)}`.replace('export ', ''),
    'src/testing/kit.ts': '/** For other people. */\nexport const kit = 1',
    'bench/run.ts': `import '../src/store/full.ts'\nimport { levels } from '../src/core/call.ts'\nfunction run() ${body(functionLinesMax)}`,
  }),
)

const fault = (rule: string, what: string, path: string, source: string, line = 1): Fault => ({
  rule,
  what,
  files: { [path]: source },
  line,
})

/** A planted file of src that app.ts reaches, so that only its own faults are found. */
const reached = (rule: string, what: string, source: string, line = 1): Fault => ({
  rule,
  what,
  files: {
    'src/core/planted.ts': source,
    'src/app.ts': `${clean.get('src/app.ts')}\nimport * as p from './core/planted.ts'`,
  },
  line,
})

const callTs = clean.get('src/core/call.ts')!
const doc = '/** Documented. */\n'
const long = body(functionLinesMax + 1)

const sizes: readonly Fault[] = [
  fault('file-size', 'a long source', 'src/store/full.ts', lines(fileLinesMax + 1), fileLinesMax + 1),
  fault('file-size', 'a long script', 'scripts/long.ts', lines(fileLinesMax + 1), fileLinesMax + 1),
  fault('file-size', 'a long test', 'src/core/call.test.ts', lines(testLinesMax + 1), testLinesMax + 1),
  fault(
    'function-size',
    'a long function',
    'bench/run.ts',
    `${clean.get('bench/run.ts')}\nfunction long() ${long}`,
    functionLinesMax + 3,
  ),
  fault('function-size', 'a long arrow', 'scripts/run.ts', `const long = () => ${long}`),
  fault('function-size', 'a long method', 'scripts/run.ts', `class A {\n  method() ${long}\n}`, 2),
  fault('function-size', 'a long private method', 'scripts/run.ts', `class A {\n  #method() ${long}\n}`, 2),
  fault(
    'function-size',
    'a long object method',
    'scripts/run.ts',
    `const a = {\n  get method() ${long}\n}`,
    2,
  ),
  fault('function-size', 'a long callback', 'scripts/run.ts', `list.map(() => ${long})`),
  fault('function-size', 'a chapter outside a test', 'scripts/run.ts', `describe('x', () => ${long})`),
  fault('function-size', 'a named function in a test', 'test/a.test.ts', `function long() ${long}`),
  fault('function-size', 'a callback in a test', 'test/a.test.ts', `list.map(() => ${long})`),
]

const names: readonly Fault[] = [
  fault('kebab-case', 'a camelCase file', 'test/startServer.ts', ''),
  fault('kebab-case', 'a snake_case file', 'bench/run_all.js', ''),
  fault('empty-name', 'a utils file', 'test/string-utils.ts', ''),
  fault('empty-name', 'a common folder', 'test/common/clock.ts', ''),
  reached('empty-name', 'a manager', 'class CallManager {}'),
  reached('i-prefix', 'an I prefix', 'interface ICall {}'),
]

const exported: readonly Fault[] = [
  fault('unused-export', 'a value', 'src/core/call.ts', `${callTs}\n${doc}export const unused = 1`, 22),
  fault('unused-export', 'a type', 'src/core/call.ts', `${callTs}\n${doc}export type Unused = 1`, 22),
  fault('unused-export', 'a list', 'src/core/call.ts', `${callTs}\nexport { levels as unused }`, 21),
  fault(
    'unused-export',
    'a passed-on name',
    'src/core/call.ts',
    `${callTs}\nexport { lazy } from './lazy.ts'`,
    21,
  ),
  fault(
    'unused-export',
    'a type that only a body speaks of',
    'src/core/call.ts',
    `${callTs}\n${doc}export type Inner = 1\nfunction f() { let i: Inner }`,
    22,
  ),
  {
    rule: 'unused-export',
    what: 'a value that only a test imports',
    files: {
      'src/core/lazy.ts': `${clean.get('src/core/lazy.ts')}\n${doc}export const tested = 1`,
      'src/core/lazy.test.ts': `import { tested } from './lazy.ts'`,
    },
    line: 4,
  },
  fault('dead-file', 'a file nobody imports', 'src/core/planted.ts', ''),
  {
    rule: 'dead-file',
    what: 'a file that only a test imports',
    files: { 'src/core/planted.ts': '', 'src/core/planted.test.ts': `import './planted.ts'` },
  },
  reached('doc-comment', 'a bare function', 'export function planted() {}'),
  reached('doc-comment', 'a bare class', 'export class Planted {}'),
  reached('doc-comment', 'a bare interface', 'export interface Planted {}'),
  reached('doc-comment', 'a bare constant', 'export const planted = 1'),
  reached('doc-comment', 'a bare type', 'export type Planted = 1'),
  reached('doc-comment', 'a bare default', 'export default 1'),
  reached('doc-comment', 'an ordinary comment', '// Not a doc comment.\nexport const planted = 1', 2),
  reached('doc-comment', 'an undocumented second', `${doc}export const one = 1\nexport const planted = 1`, 3),
  reached('doc-comment', 'an empty doc comment', '/** */\nexport const planted = 1', 2),
]

// Put together here, so that this file does not hold them.
const ourPath = ['', 'work', 'main', 'src'].join('/')

const words: readonly Fault[] = [
  fault('no-any', 'an any', 'bench/run.ts', `${clean.get('bench/run.ts')}\nlet a: any`, functionLinesMax + 3),
  reached(
    'no-any',
    'an excuse without a reason',
    '// biome-ignore lint/suspicious/noExplicitAny:\nlet a: any',
    2,
  ),
  reached('no-suppression', 'an ignored error', `${'// @ts'}-ignore`),
  reached('no-suppression', 'an expected error outside a test', `${'// @ts'}-expect-error`),
  fault('no-suppression', 'an unchecked test', 'test/a.test.ts', `\n${'// @ts'}-nocheck`, 2),
  reached('no-suppression', 'a file that is not linted', '/* biome-ignore-all lint: because */'),
  fault('foreign-word', 'a path in a document', 'docs/guide.md', `Hello\nsee ${ourPath}`, 2),
  fault('foreign-word', 'a path in a script', 'scripts/run.ts', `open('${ourPath}')`),
  fault(
    'lock-host',
    'a registry',
    'package-lock.json',
    '{\n"resolved": "https://registry.example/a.tgz"}',
    2,
  ),
  fault('lock-host', 'a git host', 'package-lock.json', '"resolved": "git+ssh://git@example/a.git"'),
]

const faults = [...sizes, ...names, ...exported, ...words]

describe('the checks', () => {
  const checkAll = (tree: Tree) => Object.values(checks).flatMap((check) => check(tree))

  it('find nothing in a clean tree', () => {
    expect(checkAll(clean).map(renderFinding)).toEqual([])
  })

  it.each(faults)('find $rule in $what', (planted) => {
    expect(places(checkAll(plant(clean, planted.files)))).toEqual([placeOf(planted)])
  })

  it('find short-functions where more than half are long, callbacks aside', () => {
    const tall = ['a', 'b', 'c']
      .map((name) => `function ${name}() ${body(shortFunctionLinesMax + 1)}`)
      .join('\n')
    const tree = plant(clean, {
      'src/core/lazy.ts': `${doc}export const lazy = [1].map(() => 1)\n${tall}`,
    })
    expect(places(checkAll(tree))).toEqual(['short-functions src:1'])
    expect(checkShortFunctions(tree)[0]?.message).toContain('Only 2 of 5 functions')
  })

  it('have a planted fault for every rule', () => {
    const unplanted = rules.filter((rule) => !faults.some((planted) => planted.rule === rule))
    expect(unplanted).toEqual(['short-functions'])
  })
})
