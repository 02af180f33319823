import type { SchemaIssue } from '../../../core/schema.ts'
import type { SqlConfig } from '../config.ts'
import { findDialect } from '../dialects.ts'
import type { CompileSchema } from '../tools/result-check.ts'
import type { DeclaredParameter, DeclaredTool } from './declared-config.ts'
import { renderOutput, renderParameter } from './render-schemas.ts'

/** One fault of a declaration: the keys that lead to it, and what is wrong. */
interface DeclarationFault {
  readonly path: readonly string[]
  readonly message: string
}

/** What no schema of its own can tell about declared tools: that they fit the databases, the built-in tools and themselves. */
export function checkDeclared(
  { tools, databases }: SqlConfig,
  builtIn: readonly string[],
  compileSchema: CompileSchema,
): readonly DeclarationFault[] {
  return Object.entries(tools).flatMap(([name, tool]) => {
    const taken = builtIn.includes(name)
      ? [{ path: [], message: `${name} is the name of a tool that every connection has` }]
      : []
    const faults = [
      ...taken,
      ...checkDatabase(tool, databases),
      ...checkOutput(tool, compileSchema),
      ...Object.entries(tool.parameters).flatMap(([parameter, each]) =>
        Array.from(checkParameter(each, compileSchema), ({ path, message }) => ({
          path: ['parameters', parameter, ...path],
          message,
        })),
      ),
    ]
    return faults.map(({ path, message }) => ({ path: [name, ...path], message }))
  })
}

function* checkDatabase(tool: DeclaredTool, databases: SqlConfig['databases']): Generator<DeclarationFault> {
  const database = Object.hasOwn(databases, tool.database) ? databases[tool.database] : undefined
  if (database === undefined) {
    const known = Object.keys(databases).join(', ')
    yield {
      path: ['database'],
      message: `there is no database ${JSON.stringify(tool.database)}; known: ${known}`,
    }
    return
  }
  if (tool.effect !== 'read' && !database.write) {
    yield {
      path: ['effect'],
      message: `database ${tool.database} may not be written; give it \`write: true\` or the tool the effect read`,
    }
  }
  const dialect = findDialect(database.url)
  if (dialect === undefined || dialect.hasArrays) return
  for (const [name, { type }] of Object.entries(tool.parameters)) {
    if (type !== 'array') continue
    yield { path: ['parameters', name, 'type'], message: `${dialect.title} has no lists; use the type json` }
  }
}

function* checkOutput(tool: DeclaredTool, compileSchema: CompileSchema): Generator<DeclarationFault> {
  if (tool.output === undefined) return
  const problem = problemOf(() => compileSchema(renderOutput(tool)))
  if (problem !== undefined) yield { path: ['output'], message: `it cannot be used: ${problem}` }
}

function* checkParameter(
  parameter: DeclaredParameter,
  compileSchema: CompileSchema,
): Generator<DeclarationFault> {
  const { enum: listed, default: fallback, ...bounds } = parameter
  const { type, items, required, minimum = Number.NEGATIVE_INFINITY, maximum } = bounds
  for (const key of ['minimum', 'maximum', 'maxLength', 'maxItems', 'items', 'enum'] as const) {
    if (parameter[key] !== undefined && !uses[key].includes(type))
      yield { path: [key], message: `a parameter of type ${type} has none` }
  }
  if (type === 'array' && items === undefined) yield { path: ['items'], message: 'say what it is a list of' }
  if (maximum !== undefined && minimum > maximum)
    yield { path: ['minimum'], message: 'no more than `maximum`' }
  if (required === true && fallback !== undefined)
    yield { path: ['default'], message: 'what is required needs no default' }
  if (listed === undefined && (fallback === undefined || fallback === null)) return
  const check = compileSchema(renderParameter(bounds))
  for (const value of listed ?? []) {
    const [issue] = check(value)
    if (issue !== undefined) yield { path: ['enum'], message: renderIssue(value, issue) }
  }
  if (fallback === undefined || fallback === null) return
  const [issue] = check(fallback)
  if (issue !== undefined) yield { path: ['default'], message: renderIssue(fallback, issue) }
  else if (listed?.includes(fallback as string) === false)
    yield { path: ['default'], message: `${JSON.stringify(fallback)} is not one of the values in enum` }
}

/** Which types have which bounds. */
const uses: Readonly<
  Record<
    'minimum' | 'maximum' | 'maxLength' | 'maxItems' | 'items' | 'enum',
    readonly DeclaredParameter['type'][]
  >
> = {
  minimum: ['integer', 'number'],
  maximum: ['integer', 'number'],
  maxLength: ['string', 'bytes'],
  maxItems: ['array'],
  items: ['array'],
  enum: ['string', 'integer', 'number'],
}

function renderIssue(value: unknown, { path, message }: SchemaIssue): string {
  return `${JSON.stringify(value)}: ${path === '' ? 'it' : path} ${message}`
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (thrown) {
    return (thrown as Error).message
  }
}
