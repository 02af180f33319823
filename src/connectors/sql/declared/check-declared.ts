import type { DeclaredParameter, DeclaredTool } from './declared-config.ts'

/** One fault of a declaration: the keys that lead to it, and what is wrong. */
export interface DeclarationFault {
  readonly path: readonly string[]
  readonly message: string
}

/** What no schema of its own can tell about declared tools: that they fit the databases and the built-in tools. */
export function checkDeclared(
  tools: Readonly<Record<string, DeclaredTool>>,
  databases: Readonly<Record<string, { readonly write: boolean }>>,
  builtIn: readonly string[],
): readonly DeclarationFault[] {
  return Object.entries(tools).flatMap(([name, tool]) => {
    const faults: DeclarationFault[] = []
    const add = (path: readonly string[], message: string) => faults.push({ path: [name, ...path], message })
    const database = Object.hasOwn(databases, tool.database) ? databases[tool.database] : undefined
    if (builtIn.includes(name)) add([], `${name} is the name of a tool that every connection has`)
    if (database === undefined) {
      add(
        ['database'],
        `there is no database ${JSON.stringify(tool.database)}; known: ${Object.keys(databases).join(', ')}`,
      )
    } else if (tool.effect !== 'read' && !database.write) {
      add(
        ['effect'],
        `database ${tool.database} may not be written; give it \`write: true\` or the tool the effect read`,
      )
    }
    for (const [parameter, each] of Object.entries(tool.parameters)) {
      const fault = checkParameter(each)
      if (fault !== undefined) add(['parameters', parameter, ...fault.path], fault.message)
    }
    return faults
  })
}

function checkParameter({
  type,
  required,
  enum: listed,
  ...rest
}: DeclaredParameter): DeclarationFault | undefined {
  const { default: fallback, minimum, maximum, maxLength } = rest
  const isNumeric = type === 'integer' || type === 'number'
  if (required === true && fallback !== undefined)
    return { path: ['default'], message: 'what is required needs no default' }
  if (fallback !== undefined && fallback !== null && !isOfType(fallback, type)) {
    return { path: ['default'], message: `${JSON.stringify(fallback)} is not of type ${type}` }
  }
  const stranger = listed?.find((value) => !isOfType(value, type))
  if (stranger !== undefined)
    return { path: ['enum'], message: `${JSON.stringify(stranger)} is not of type ${type}` }
  if (
    fallback !== undefined &&
    fallback !== null &&
    listed !== undefined &&
    !listed.some((value) => value === fallback)
  ) {
    return { path: ['default'], message: `${JSON.stringify(fallback)} is not one of the values in enum` }
  }
  if (!isNumeric && minimum !== undefined) return { path: ['minimum'], message: `a ${type} has no minimum` }
  if (!isNumeric && maximum !== undefined) return { path: ['maximum'], message: `a ${type} has no maximum` }
  if (type !== 'string' && maxLength !== undefined)
    return { path: ['maxLength'], message: `a ${type} has no length` }
  return undefined
}

function isOfType(value: unknown, type: DeclaredParameter['type']): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'json':
      return true
    default:
      return typeof value === 'string'
  }
}
