import type { Finding } from './finding.ts'
import {
  type AstNode,
  childAt,
  childrenAt,
  identifierName,
  memberName,
  parseSource,
  staticName,
  textAt,
  walk,
} from './parse.ts'
import { productionCode, type Tree, textOf } from './tree.ts'

const readers = ['src/config/', 'src/cli/']
const cure = 'Only config/ and cli/ read the environment; take the value as an argument.'

/**
 * Every read of the process environment outside config/ and cli/. To be sound, handing on `process` as a
 * whole is a finding too: what is done with it elsewhere cannot be seen.
 */
export function checkEnvironment(tree: Tree): readonly Finding[] {
  return productionCode(tree)
    .filter((path) => !readers.some((reader) => path.startsWith(reader)))
    .flatMap((path) => readsOf(path, textOf(tree, path)))
}

function readsOf(path: string, source: string): readonly Finding[] {
  const findings: Finding[] = []
  const { program } = parseSource(path, source)
  const names = processNames(program)
  walk(program, (node, ancestors) => {
    const message = environmentImport(node) ?? processUse(node, ancestors, names)
    if (message !== undefined) {
      findings.push({ rule: 'environment', path, line: node.loc.start.line, message: `${message} ${cure}` })
    }
    return undefined
  })
  return findings
}

/** The names by which a file may say `process`: the global, and default or namespace imports of the module. */
function processNames(program: AstNode): ReadonlySet<string> {
  const names = new Set(['process'])
  for (const declaration of childrenAt(program, 'body').filter(isProcessImport)) {
    for (const specifier of childrenAt(declaration, 'specifiers')) {
      const whole = specifier.type !== 'ImportSpecifier' || importedName(specifier) === 'default'
      if (whole) names.add(textAt(childAt(specifier, 'local'), 'name') ?? '')
    }
  }
  return names
}

function environmentImport(node: AstNode): string | undefined {
  if (node.type === 'ImportExpression' && isProcessModule(childAt(node, 'source'))) {
    return 'The process module is loaded at run time.'
  }
  const reexport = node.type === 'ExportAllDeclaration' || node.type === 'ExportNamedDeclaration'
  if (reexport && isProcessModule(childAt(node, 'source'))) return 'The process module is exported again.'
  if (!isProcessImport(node)) return undefined
  const named = childrenAt(node, 'specifiers').some((specifier) => importedName(specifier) === 'env')
  return named ? 'env is imported from node:process.' : undefined
}

/** What is wrong with this mention of `process`, if it is one. */
function processUse(
  node: AstNode,
  ancestors: readonly AstNode[],
  names: ReadonlySet<string>,
): string | undefined {
  const parent = ancestors.at(-1)
  if (!isProcess(node, names) || parent === undefined || !isReference(node, parent)) return undefined
  const taken = takenNames(node, parent)
  if (taken === 'none') return undefined
  if (taken === 'unknown') return 'process is handed on as a whole, its environment with it.'
  return taken.includes('env') ? 'process.env is read.' : undefined
}

function isProcess(node: AstNode, names: ReadonlySet<string>): boolean {
  const name = identifierName(node)
  if (name !== undefined) return names.has(name)
  const object = identifierName(childAt(node, 'object'))
  return memberName(node) === 'process' && (object === 'globalThis' || object === 'global')
}

// An identifier is also spelled in places that read nothing: keys, member names, types, imports.
function isReference(node: AstNode, parent: AstNode): boolean {
  if (parent.type === 'PrivateName') return false
  if (/^TS(?!AsExpression|SatisfiesExpression|NonNullExpression|TypeQuery)/.test(parent.type)) return false
  if (/^(Import|Export).*Specifier$/.test(parent.type))
    return childAt(parent, 'local') === node && parent.type === 'ExportSpecifier'
  if (childAt(parent, 'property') === node) return parent['computed'] === true
  const key = childAt(parent, 'key') === node && childAt(parent, 'value') !== node
  return !key || parent['computed'] === true
}

/** Which of the process's fields the surrounding expression takes. */
function takenNames(node: AstNode, parent: AstNode): 'none' | 'unknown' | readonly string[] {
  if (parent.type === 'UnaryExpression' || parent.type === 'TSTypeQuery') return 'none'
  if (childAt(parent, 'object') === node) {
    const name = memberName(parent)
    return name === undefined ? 'unknown' : [name]
  }
  const pattern = childAt(parent, 'id') ?? childAt(parent, 'left')
  if (pattern?.type !== 'ObjectPattern') return 'unknown'
  const keys = childrenAt(pattern, 'properties').map((property) =>
    staticName(childAt(property, 'key'), property['computed'] === true),
  )
  return keys.includes(undefined) ? 'unknown' : keys.filter((key) => key !== undefined)
}

function isProcessImport(node: AstNode): boolean {
  return node.type === 'ImportDeclaration' && isProcessModule(childAt(node, 'source'))
}

function isProcessModule(source: AstNode | undefined): boolean {
  const name = staticName(source, true)
  return name === 'process' || name === 'node:process'
}

function importedName(specifier: AstNode): string | undefined {
  return staticName(childAt(specifier, 'imported'), false)
}
