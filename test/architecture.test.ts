import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkEnvironment } from './house/environment.ts'
import { type Finding, renderFinding } from './house/finding.ts'
import { type Fault, placeOf, places, plant } from './house/plant.ts'
import { checkSpecifiers, checkStar, specifierRules, starRules } from './house/star.ts'
import { checkErasable, checkLayout } from './house/syntax.ts'
import { readTree, type Tree } from './house/tree.ts'

const checks: Readonly<Record<string, (tree: Tree) => readonly Finding[]>> = {
  'the star: who may import whom': checkStar,
  'specifiers: packages are declared, core has none, paths can be followed': checkSpecifiers,
  'layout: src holds what the architecture knows': checkLayout,
  'syntax: types can be stripped': checkErasable,
  'environment: only config and cli read it': checkEnvironment,
}

const rules = [...new Set([...starRules, ...specifierRules, 'layout', 'erasable', 'environment'])]

describe('this tree', () => {
  const tree = readTree(join(import.meta.dirname, '..'))
  it.each(Object.entries(checks))('keeps %s', (_, check) => {
    expect(check(tree).map(renderFinding)).toEqual([])
  })
})

/** The smallest tree that uses every permission there is. */
const clean: Tree = new Map(
  Object.entries({
    'package.json': '{"name": "weir", "dependencies": {"zod": "4"}, "devDependencies": {"vitest": "5"}}',
    'src/core/tool.ts': `import { EventEmitter } from 'node:events'\nexport * from './call.ts'`,
    'src/core/call.ts': 'export const call = process.hrtime.bigint()',
    'src/wire/framing.ts': `import '../core/tool.ts'\nimport { z } from 'zod'`,
    'src/telemetry/log.ts': `import '../core/tool.ts'\nprocess.stderr.write('')`,
    'src/config/load.ts': `import '../core/tool.ts'\nexport const home = process.env['HOME']`,
    'src/egress/client.ts': `import '../core/tool.ts'\nimport '../telemetry/log.ts'`,
    'src/execution/executor.ts': `import '../core/tool.ts'\nimport './stages/trace.ts'\nimport '../telemetry/log.ts'`,
    'src/execution/stages/trace.ts': `import type { T } from '../../egress/client.ts'`,
    'src/catalog/catalog.ts': `import '../core/tool.ts'`,
    'src/connectors/index.ts': `import './sql/sql.ts'\nimport './mcp/mcp.ts'`,
    'src/connectors/shared/page.ts': `import '../../core/tool.ts'`,
    'src/connectors/sql/sql.ts': [
      `import '../shared/page.ts'`,
      `new Worker(new URL('./sql.worker.ts', import.meta.url))`,
      `new Worker(new URL(import.meta.url.endsWith('.ts') ? './sql.worker.ts' : './sql.worker.js', import.meta.url))`,
      `new URL(\`./templates/\${name}.sql\`, import.meta.url)`,
    ].join('\n'),
    'src/connectors/sql/sql.worker.ts': '',
    'src/connectors/sql/sql.test.ts': `import '../mcp/mcp.ts'\nimport 'vitest'\nprocess.env['DATABASE_URL']`,
    'src/connectors/sql/crash.fixture.ts': `import '../mcp/mcp.ts'\nimport 'vitest'\nprocess.env['CI']`,
    'src/connectors/sql/crash.test.ts': `import './crash.fixture.ts'`,
    'src/connectors/sql/fixtures/child.ts': `import '../../mcp/mcp.ts'\nimport 'vitest'\nprocess.env['CI']`,
    'src/connectors/mcp/mcp.ts': `import '../../wire/framing.ts'`,
    'src/frontends/index.ts': `import './mcp/mcp.ts'`,
    'src/frontends/mcp/mcp.ts': `import '../../wire/framing.ts'\nimport '../shared/authenticate.ts'`,
    'src/frontends/rest/rest.ts': `import '../shared/authenticate.ts'`,
    'src/frontends/shared/authenticate.ts': `import '../../egress/client.ts'`,
    'src/scaffold/generate.ts': '',
    'src/testing/fake-mcp-server.ts': `import '../wire/framing.ts'\nimport '../core/tool.ts'\nimport 'vitest'`,
    'src/app.ts': [
      `import './config/load.ts'`,
      `import './connectors/index.ts'`,
      `import './wire/framing.ts'`,
      'await import(pathOfPlugin)',
    ].join('\n'),
    'src/cli/main.ts': [
      `import '../app.ts'`,
      `import '../config/load.ts'`,
      `import '../scaffold/generate.ts'`,
      `import '../telemetry/log.ts'`,
      `import '../core/tool.ts'`,
      'export const { env } = process',
    ].join('\n'),
    'test/e2e/start.ts': `import '../../src/wire/framing.ts'\nprocess.env['CI']`,
  }),
)

/** One file with one line of code that must be found wrong. */
const fault = (rule: string, path: string, source: string, what = source, line = 1): Fault => ({
  rule,
  what: `${path}: ${what}`,
  files: { [path]: source },
  line,
})

const sql = 'src/connectors/sql/planted.ts'
const stage = 'src/execution/planted.ts'

const everySyntax: readonly Fault[] = [
  `import { call } from '../catalog/catalog.ts'`,
  `import '../catalog/catalog.ts'`,
  `import type { Call } from '../catalog/catalog.ts'`,
  `import { type Call } from '../catalog/catalog.ts'`,
  `export { call } from '../catalog/catalog.ts'`,
  `export * from '../catalog/catalog.ts'`,
  `export type { Call } from '../catalog/catalog.ts'`,
  `await import('../catalog/catalog.ts')`,
  `await import(\`../catalog/\${name}.ts\`)`,
  `await import('../catalog/' + name)`,
  `type Call = import('../catalog/catalog.ts').Call`,
  `new Worker(new URL('../catalog/catalog.ts', import.meta.url))`,
  `new URL(built ? './a.js' : '../catalog/catalog.ts', import.meta.url)`,
  `import.meta.resolve('../catalog/catalog.ts')`,
  `require('../catalog/catalog.ts')`,
  `declare module '../catalog/catalog.ts' {}`,
].map((source) => fault('parts-apart', stage, source))

const star: readonly Fault[] = [
  fault('core-alone', 'src/core/planted.ts', `import '../telemetry/log.ts'`),
  fault('core-alone', 'src/core/planted.ts', `import type { z } from 'zod'`),
  fault('base-on-core', 'src/telemetry/planted.ts', `import '../egress/client.ts'`),
  fault('base-on-core', 'src/wire/planted.ts', `import '../telemetry/log.ts'`),
  fault('base-on-core', 'src/config/planted.ts', `import '../connectors/index.ts'`),
  fault('base-on-core', 'src/egress/planted.ts', `import '../app.ts'`),
  fault('parts-apart', 'src/frontends/rest/planted.ts', `import '../../connectors/shared/page.ts'`),
  fault('parts-apart', 'src/catalog/planted.ts', `import '../app.ts'`),
  fault('parts-apart', 'src/catalog/planted.ts', `import '../testing/fake-mcp-server.ts'`),
  fault('siblings-apart', sql, `import '../mcp/mcp.ts'`),
  fault('siblings-apart', sql, `import '../index.ts'`),
  fault('siblings-apart', 'src/connectors/shared/planted.ts', `import '../sql/sql.ts'`),
  fault('siblings-apart', 'src/frontends/rest/planted.ts', `import type { M } from '../mcp/mcp.ts'`),
  fault('wire-doors', stage, `import '../wire/framing.ts'`),
  fault('wire-doors', sql, `import '../../wire/framing.ts'`),
  fault('wire-doors', 'src/frontends/shared/planted.ts', `import '../../wire/framing.ts'`),
  fault('wire-doors', 'src/cli/planted.ts', `import '../wire/framing.ts'`),
  fault('config-doors', stage, `import type { Config } from '../config/load.ts'`),
  fault('config-doors', 'src/testing/planted.ts', `import '../config/load.ts'`),
  fault('config-doors', 'src/egress/planted.ts', `import '../config/load.ts'`),
  fault('testing-on-base', 'src/testing/planted.ts', `import '../execution/executor.ts'`),
  fault('app-below-cli', 'src/app.ts', `import './cli/main.ts'`),
  fault('app-below-cli', 'src/app.ts', `import './testing/fake-mcp-server.ts'`),
  fault('cli-on-app', 'src/cli/planted.ts', `import '../catalog/catalog.ts'`),
  fault('no-test-imports', sql, `import './sql.test.ts'`),
  fault('no-test-imports', sql, `new URL('./crash.fixture.ts', import.meta.url)`),
  fault('no-test-imports', 'src/connectors/sql/planted.test.ts', `import './sql.test.ts'`),
  fault('no-test-imports', 'test/e2e/planted.ts', `import '../../src/connectors/sql/sql.test.ts'`),
  fault('inside-src', sql, `import '../../../test/e2e/start.ts'`),
  fault('inside-src', sql, `import 'weir'`),
  fault('undeclared-package', sql, `import 'left-pad/index.js'`),
  fault('undeclared-package', sql, `import { it } from 'vitest'`),
  fault('undeclared-package', 'src/testing/planted.ts', `import '@scope/kit'`),
  fault('opaque-import', sql, 'await import(name)'),
  fault('opaque-import', sql, `await import(\`./\${name}/index.ts\`)`),
  fault('opaque-import', sql, 'new URL(name, import.meta.url)'),
  fault('opaque-import', sql, `join(import.meta.dirname, '../mcp/mcp.ts')`),
]

const syntax: readonly Fault[] = [
  fault('layout', 'src/planted.ts', ''),
  fault('layout', 'src/middleware/planted.ts', ''),
  fault('layout', 'src/connectors/planted.ts', ''),
  fault('layout', 'src/catalog/planted.js', ''),
  fault('erasable', stage, 'enum Effect { read }'),
  fault('erasable', stage, 'declare const enum Effect { read }'),
  fault('erasable', stage, 'export namespace Effects { export const read = 1 }'),
  fault('erasable', stage, 'class Tool { constructor(readonly name: string) {} }'),
  fault('erasable', stage, `import fs = require('node:fs')`),
  fault('erasable', stage, 'const name = <string>value'),
]

const environment: readonly Fault[] = [
  `process.env['HOME']`,
  `process['env']`,
  'process[`env`]',
  'process?.env',
  'process!.env',
  'const { env } = process',
  'const { env: { HOME } } = process',
  'const { pid, ...rest } = process',
  '({ env } = process)',
  'function home({ env } = process) {}',
  'const its = process',
  'read(process)',
  'const all = { process }',
  'process[name]',
  '(process as { env: object }).env',
  'globalThis.process.env',
  `globalThis['process'].env`,
  `import { env } from 'node:process'`,
  `import { env as e } from 'process'`,
  `import pr, { env } from 'node:process'`,
  `export { env } from 'node:process'`,
  `await import('node:process')`,
].map((source) => fault('environment', stage, source))

const environmentBehindImport: readonly Fault[] = [
  fault('environment', stage, `import its from 'node:process'\nits.env`, 'by a default import', 2),
  fault('environment', stage, `import * as its from 'node:process'\nits.env`, 'by a namespace', 2),
  fault('environment', 'src/app.ts', 'process.env'),
]

const faults = [...everySyntax, ...star, ...syntax, ...environment, ...environmentBehindImport]

describe('the checks', () => {
  const checkAll = (tree: Tree) => Object.values(checks).flatMap((check) => check(tree))

  it('find nothing in a clean tree', () => {
    expect(checkAll(clean).map(renderFinding)).toEqual([])
  })

  it.each(faults)('find $rule in $what', (planted) => {
    expect(places(checkAll(plant(clean, planted.files)))).toEqual([placeOf(planted)])
  })

  it('have a planted fault for every rule', () => {
    expect(rules.filter((rule) => !faults.some((planted) => planted.rule === rule))).toEqual([])
  })

  it('say rule, file, line and cure', () => {
    const [found] = checkAll(plant(clean, { [sql]: `\nimport '../mcp/mcp.ts'` }))
    expect(renderFinding(found!)).toBe(
      'src/connectors/sql/planted.ts:2 [siblings-apart] connectors/sql imports src/connectors/mcp/mcp.ts. ' +
        'Move what both need into the shared/ folder beside them; only index.ts knows them all.',
    )
  })

  it('let names that only look like the environment pass', () => {
    const source = [
      'export const options = { env: {}, process: 1 }',
      'export const child = options.env',
      'type P = { process: string }',
      `export const known = typeof process === 'undefined'`,
      'export const { pid, platform } = process',
      `process.once('SIGTERM', stop)`,
    ].join('\n')
    expect(checkAll(plant(clean, { [stage]: source })).map(renderFinding)).toEqual([])
  })
})
