import type { Finding } from './finding.ts'
import { type Destination, type Import, importsOf, resolveSpecifier } from './imports.ts'
import { codeUnder, isTest, isTestOnly, productionCode, type Tree, textOf } from './tree.ts'

/** What everything may build on. Egress also logs and traces. */
const base = ['wire', 'telemetry', 'config', 'egress']

/** The parts, none of which knows another. */
const parts = [
  'execution',
  'connectors',
  'catalog',
  'quality',
  'events',
  'store',
  'tasks',
  'agents',
  'frontends',
  'scaffold',
]

/** Every folder that src may have, and the one file beside them, whose own folder `app` holds its steps. */
export const house = { folders: ['core', ...base, ...parts, 'testing', 'app', 'cli'], files: ['app.ts'] }

/** The only ones that speak MCP's wire format; what they learn from it reaches the rest in core's words. */
const wireDoors = ['src/frontends/mcp/', 'src/connectors/mcp/', 'src/testing/', 'src/app.ts', 'src/app/']
/** The only ones that hold config values; each part gets its slice handed in. */
const configDoors = ['src/app.ts', 'src/app/', 'src/cli/']
/** Parts whose sub-folders are parts themselves. */
const splitParts = ['connectors', 'frontends']

interface Edge {
  readonly from: string
  readonly to: string
  readonly fromUnit: string
  readonly toUnit: string
}

interface Rule {
  readonly id: string
  readonly breaks: (edge: Edge) => boolean
  readonly cure: string
}

/** The star, one rule after another; the first that an edge breaks is the one reported. */
const rules: readonly Rule[] = [
  {
    id: 'no-test-imports',
    breaks: ({ from, to }) => isTest(to) || (isTestOnly(to) && from.startsWith('src/') && !isTestOnly(from)),
    cure: 'Move what both need into a file that is not for tests alone.',
  },
  {
    id: 'inside-src',
    breaks: ({ to }) => !to.startsWith('src/') && to !== 'package.json',
    cure: 'The package ships src alone, so move what is needed there.',
  },
  {
    id: 'core-alone',
    breaks: ({ fromUnit, toUnit }) => fromUnit === 'core' && toUnit !== 'core',
    cure: 'Declare an interface in core and let app.ts hand the implementation in.',
  },
  {
    id: 'wire-doors',
    breaks: ({ from, fromUnit, toUnit }) =>
      toUnit === 'wire' && fromUnit !== 'wire' && !startsWithAny(from, wireDoors),
    cure: 'Only frontends/mcp, connectors/mcp and testing speak MCP; everything else uses the words of core.',
  },
  {
    id: 'config-doors',
    breaks: ({ from, fromUnit, toUnit }) =>
      toUnit === 'config' && fromUnit !== 'config' && !startsWithAny(from, configDoors),
    cure: 'Take the values needed as an argument; app.ts hands each part its slice of the config.',
  },
  {
    id: 'base-on-core',
    breaks: ({ fromUnit, toUnit }) =>
      base.includes(fromUnit) &&
      ![fromUnit, 'core'].includes(toUnit) &&
      !(fromUnit === 'egress' && toUnit === 'telemetry'),
    cure: 'The base imports core alone (egress also telemetry); take the rest as an argument.',
  },
  {
    id: 'parts-apart',
    breaks: ({ fromUnit, toUnit }) =>
      parts.includes(fromUnit) && ![fromUnit, 'core', ...base].includes(toUnit),
    cure: 'Parts meet through an interface of core, which app.ts hands to the constructor.',
  },
  {
    id: 'siblings-apart',
    breaks: ({ from, to, fromUnit, toUnit }) =>
      fromUnit === toUnit && splitParts.includes(fromUnit) && !mayShare(from, to),
    cure: 'Move what both need into the shared/ folder beside them; only index.ts knows them all.',
  },
  {
    id: 'testing-on-base',
    breaks: ({ fromUnit, toUnit }) =>
      fromUnit === 'testing' && !['testing', 'core', ...base].includes(toUnit),
    cure: 'The test kit is for other people’s connectors too: it works on the contracts of core.',
  },
  {
    id: 'app-below-cli',
    breaks: ({ fromUnit, toUnit }) => fromUnit === 'app' && ['cli', 'testing'].includes(toUnit),
    cure: 'The command line and the test kit stand on app.ts, not under it.',
  },
  {
    id: 'cli-on-app',
    breaks: ({ fromUnit, toUnit }) =>
      fromUnit === 'cli' && !['cli', 'app', 'config', 'scaffold', 'core', 'telemetry'].includes(toUnit),
    cure: 'Let app.ts build it and give the command what it needs.',
  },
]

/** The rules that an edge between two files can break. */
export const starRules = rules.map((rule) => rule.id)

/** Every import that leaves the star. Tests and what lies outside src are exempt, except that nothing imports a test. */
export function checkStar(tree: Tree): readonly Finding[] {
  return codeUnder(tree, 'src', 'test', 'bench', 'scripts', 'examples', 'bin').flatMap((path) =>
    importsOf(path, textOf(tree, path)).flatMap((imported) => checkImport(path, imported)),
  )
}

function checkImport(from: string, imported: Import): readonly Finding[] {
  const destination = resolveSpecifier(from, imported.specifier)
  if (destination.kind !== 'path') return []
  const to = destination.path
  const edge = { from, to, fromUnit: unitOf(from), toUnit: unitOf(to) }
  const bound = from.startsWith('src/') && !isTestOnly(from)
  const broken = rules.find((rule) => (bound || rule.id === 'no-test-imports') && rule.breaks(edge))
  if (broken === undefined) return []
  const message = `${folderOf(from)} imports ${to}. ${broken.cure}`
  return [{ rule: broken.id, path: from, line: imported.line, message }]
}

/** What is told from a specifier alone: packages in core, undeclared packages, paths nobody can follow. */
export function checkSpecifiers(tree: Tree): readonly Finding[] {
  const declared = declaredPackages(tree)
  return productionCode(tree).flatMap((path) =>
    importsOf(path, textOf(tree, path)).flatMap((imported) =>
      checkSpecifier(path, imported, declared).map(([rule, message]) => ({
        rule,
        path,
        line: imported.line,
        message,
      })),
    ),
  )
}

/** The rules that a specifier can break by itself. */
export const specifierRules = ['core-alone', 'opaque-import', 'undeclared-package']

type Broken = readonly (readonly [rule: string, message: string])[]

function checkSpecifier(path: string, imported: Import, declared: Declared): Broken {
  const destination = resolveSpecifier(path, imported.specifier)
  if (isOpaque(imported)) {
    const cure =
      'Name the file in a literal, as import or new URL(…, import.meta.url), so that the star can be held.'
    return unitOf(path) === 'app'
      ? []
      : [['opaque-import', `A path is computed that no check can follow. ${cure}`]]
  }
  if (destination.kind !== 'package') return []
  if (unitOf(path) === 'core') {
    return [
      [
        'core-alone',
        `core imports the package ${destination.name}. core needs Node alone; wrap it in the base.`,
      ],
    ]
  }
  return checkPackage(path, destination, declared)
}

// A literal beginning with a folder is enough: `new URL('./templates/' + name, import.meta.url)` stays in there.
function isOpaque(imported: Import): boolean {
  return !imported.whole && !/^\.{1,2}\/.*[^./]/.test(imported.specifier)
}

function checkPackage(path: string, { name }: Destination & { kind: 'package' }, declared: Declared): Broken {
  if (name === declared.self) {
    return [['inside-src', 'The package imports itself by name, past the star. Import the file by its path.']]
  }
  const known = unitOf(path) === 'testing' ? [...declared.runtime, ...declared.development] : declared.runtime
  if (known.includes(name)) return []
  const message = `The package ${name} is not among the dependencies that ship. Declare it in package.json, or drop it.`
  return [['undeclared-package', message]]
}

interface Declared {
  readonly self: string
  readonly runtime: readonly string[]
  readonly development: readonly string[]
}

function declaredPackages(tree: Tree): Declared {
  const manifest = JSON.parse(textOf(tree, 'package.json')) as Record<string, unknown>
  const names = (field: string) => Object.keys((manifest[field] as object | undefined) ?? {})
  return {
    self: String(manifest['name']),
    runtime: ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(names),
    development: names('devDependencies'),
  }
}

/** The folder of src that a path lies in; `app` for app.ts, too. */
function unitOf(path: string): string {
  const [top, unit = ''] = path.split('/')
  return top === 'src' ? unit.replace(/\.ts$/, '') : ''
}

function folderOf(path: string): string {
  return path === 'src/app.ts' ? 'app.ts' : path.slice(0, path.lastIndexOf('/')).replace(/^src\//, '')
}

function mayShare(from: string, to: string): boolean {
  const [fromSub, toSub] = [from, to].map((path) => path.split('/')[2] ?? '')
  return fromSub === toSub || toSub === 'shared' || fromSub === 'index.ts'
}

function startsWithAny(path: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path.startsWith(prefix))
}
