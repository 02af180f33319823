import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import {
  type AstNode,
  childAt,
  childrenAt,
  identifierName,
  memberName,
  parseSource,
  staticName,
  walk,
} from './parse.ts'

/** One way a file reaches for another, whatever the syntax: type-only ones are dependencies too. */
export interface Import {
  readonly specifier: string
  readonly line: number
  readonly kind: 'static' | 'export-from' | 'dynamic' | 'type' | 'url' | 'require' | 'augmentation' | 'path'
  /** Which exports are taken; `'all'` where that cannot be told. */
  readonly names: 'all' | readonly string[]
  /** False where only the beginning of the specifier is known, as in `` import(`./${name}.ts`) ``. */
  readonly whole: boolean
}

/** Every dependency of a file that the syntax shows. */
export function importsOf(path: string, source: string): readonly Import[] {
  const found: Import[] = []
  walk(parseSource(path, source).program, (node, ancestors) => {
    found.push(...readImport(node, ancestors))
    return undefined
  })
  return found
}

function readImport(node: AstNode, ancestors: readonly AstNode[]): readonly Import[] {
  switch (node.type) {
    case 'ImportDeclaration':
      return at(node, childAt(node, 'source'), 'static', importedNames(node))
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return childAt(node, 'source')
        ? at(node, childAt(node, 'source'), 'export-from', importedNames(node))
        : []
    case 'ImportExpression':
      return at(node, childAt(node, 'source'), 'dynamic', loadedNames(ancestors))
    case 'TSImportType':
      return at(node, childAt(node, 'source') ?? childAt(node, 'argument'), 'type', qualifierName(node))
    case 'TSExternalModuleReference':
      return at(node, childAt(node, 'expression'), 'require', 'all')
    case 'TSModuleDeclaration':
      return childAt(node, 'id')?.type === 'StringLiteral'
        ? at(node, childAt(node, 'id'), 'augmentation', [])
        : []
    case 'NewExpression':
      return isImportMetaUrl(childrenAt(node, 'arguments')[1])
        ? at(node, childrenAt(node, 'arguments')[0], 'url', 'all').map(withDot)
        : []
    case 'CallExpression':
      return isResolver(childAt(node, 'callee'))
        ? at(node, childrenAt(node, 'arguments')[0], 'require', 'all')
        : []
    default:
      return readModulePath(node)
  }
}

// `import.meta.dirname` builds paths that no check can follow; `new URL('./x.ts', import.meta.url)` says the same.
function readModulePath(node: AstNode): readonly Import[] {
  const name = memberName(node)
  if (childAt(node, 'object')?.type !== 'MetaProperty' || (name !== 'dirname' && name !== 'filename'))
    return []
  return [{ specifier: '', line: node.loc.start.line, kind: 'path', names: 'all', whole: false }]
}

function at(
  node: AstNode,
  source: AstNode | undefined,
  kind: Import['kind'],
  names: Import['names'],
): readonly Import[] {
  const line = node.loc.start.line
  return specifiersOf(source).map((specifier) => ({ ...specifier, line, kind, names }))
}

// To `new URL` a bare name is a path beside the file; to everything else it is a package.
function withDot(imported: Import): Import {
  const bare = /^[^./][^:]*$/.test(imported.specifier)
  return bare ? { ...imported, specifier: `./${imported.specifier}` } : imported
}

type Specifier = Pick<Import, 'specifier' | 'whole'>

/** What an expression in a specifier's place can be: both arms of a condition, the known beginning of a sum. */
function specifiersOf(node: AstNode | undefined): readonly Specifier[] {
  switch (node?.type) {
    case 'ConditionalExpression':
      return [...specifiersOf(childAt(node, 'consequent')), ...specifiersOf(childAt(node, 'alternate'))]
    case 'BinaryExpression':
      return specifiersOf(childAt(node, 'left')).map(({ specifier }) => ({ specifier, whole: false }))
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return specifiersOf(childAt(node, 'expression'))
    case 'TSLiteralType':
      return specifiersOf(childAt(node, 'literal'))
    case 'TemplateLiteral': {
      const text = (childrenAt(node, 'quasis')[0]?.['value'] as { cooked?: string } | undefined)?.cooked ?? ''
      return [{ specifier: text, whole: childrenAt(node, 'expressions').length === 0 }]
    }
    default: {
      const text = staticName(node, true)
      return [{ specifier: text ?? '', whole: text !== undefined }]
    }
  }
}

function importedNames(node: AstNode): Import['names'] {
  if (node.type === 'ExportAllDeclaration') return 'all'
  const names: string[] = []
  for (const specifier of childrenAt(node, 'specifiers')) {
    if (specifier.type === 'ImportNamespaceSpecifier' || specifier.type === 'ExportNamespaceSpecifier')
      return 'all'
    const name = staticName(childAt(specifier, 'imported') ?? childAt(specifier, 'local'), false)
    names.push(specifier.type === 'ImportDefaultSpecifier' ? 'default' : (name ?? 'default'))
  }
  return names
}

function qualifierName(node: AstNode): Import['names'] {
  let qualifier = childAt(node, 'qualifier')
  while (qualifier?.type === 'TSQualifiedName') qualifier = childAt(qualifier, 'left')
  const name = identifierName(qualifier)
  return name === undefined ? 'all' : [name]
}

// Reads `const { a } = await import(…)` and `(await import(…)).a`; anything else may take everything.
function loadedNames(ancestors: readonly AstNode[]): Import['names'] {
  const [user, outer] = ancestors.toReversed()
  const taker = user?.type === 'AwaitExpression' ? outer : user
  if (taker?.type === 'ExpressionStatement') return []
  const member = memberName(taker)
  if (member !== undefined) return [member]
  const keys = childrenAt(childAt(taker, 'id'), 'properties').map((property) =>
    staticName(childAt(property, 'key'), property['computed'] === true),
  )
  const known = keys.filter((key) => key !== undefined)
  return known.length > 0 && known.length === keys.length ? known : 'all'
}

function isImportMetaUrl(node: AstNode | undefined): boolean {
  return memberName(node) === 'url' && childAt(node, 'object')?.type === 'MetaProperty'
}

function isResolver(callee: AstNode | undefined): boolean {
  if (identifierName(callee) === 'require') return true
  const object = childAt(callee, 'object')
  return (
    memberName(callee) === 'resolve' &&
    (object?.type === 'MetaProperty' || identifierName(object) === 'require')
  )
}

/** Where a specifier leads: to a path of the tree, to Node itself, or to a package. */
export type Destination =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'builtin' }
  | { readonly kind: 'package'; readonly name: string }

/** Follows a specifier from the file that holds it, without asking whether anything is there. */
export function resolveSpecifier(from: string, specifier: string): Destination {
  if (isBuiltin(specifier)) return { kind: 'builtin' }
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    return { kind: 'path', path: posix.join(posix.dirname(from), specifier) }
  }
  const [scope = '', name = ''] = specifier.split('/')
  return { kind: 'package', name: scope.startsWith('@') ? `${scope}/${name}` : scope }
}
