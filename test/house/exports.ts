import type { Finding } from './finding.ts'
import { type Import, importsOf, resolveSpecifier } from './imports.ts'
import {
  type AstNode,
  childAt,
  childrenAt,
  identifierName,
  parseSource,
  staticName,
  textAt,
  walk,
} from './parse.ts'
import { codeUnder, isTestOnly, productionCode, type Tree, textOf } from './tree.ts'

/** Something a file of src offers to others. */
export interface Export {
  readonly name: string
  readonly line: number
  /** The declaration itself, or its statement where it is only re-exported. */
  readonly node: AstNode
  readonly isType: boolean
  /** True where the file passes on what another one declares. */
  readonly isReexport: boolean
}

/** The names a file exports. `export *` has none of its own. */
export function exportsOf(path: string, source: string): readonly Export[] {
  return childrenAt(parseSource(path, source).program, 'body').flatMap((statement) => {
    if (statement.type === 'ExportDefaultDeclaration') {
      const node = childAt(statement, 'declaration') ?? statement
      return [{ name: 'default', line: statement.loc.start.line, node, isType: false, isReexport: false }]
    }
    return statement.type === 'ExportNamedDeclaration' ? namedExports(statement) : []
  })
}

function namedExports(statement: AstNode): readonly Export[] {
  const line = statement.loc.start.line
  const isReexport = childAt(statement, 'source') !== undefined
  const declaration = childAt(statement, 'declaration')
  const isType = statement['exportKind'] === 'type'
  const node = declaration ?? statement
  const declared = declaredNames(declaration).map((name) => ({ name, line, node, isType, isReexport }))
  const listed = childrenAt(statement, 'specifiers').map((specifier) => {
    const name = staticName(childAt(specifier, 'exported'), false) ?? 'default'
    return { name, line: specifier.loc.start.line, node, isType, isReexport }
  })
  return [...declared, ...listed]
}

function declaredNames(declaration: AstNode | undefined): readonly string[] {
  if (declaration === undefined) return []
  const own = identifierName(childAt(declaration, 'id'))
  if (own !== undefined) return [own]
  return childrenAt(declaration, 'declarations').flatMap((declarator) =>
    patternNames(childAt(declarator, 'id')),
  )
}

function patternNames(pattern: AstNode | undefined): readonly string[] {
  const name = identifierName(pattern)
  if (name !== undefined) return [name]
  const properties = childrenAt(pattern, 'properties').map((property) => childAt(property, 'value'))
  return [...properties, ...childrenAt(pattern, 'elements')].flatMap(patternNames)
}

/**
 * Exports of src that nothing needs. Needed is what a package door offers, what code outside the tests
 * imports (src, bench, examples, scripts, bin), and a type that the signature of a needed export of the same
 * file speaks of. A test alone is no reason, except for a part that its own file uses too and that is worth
 * a test of its own: what only a test uses is dead in the product.
 */
export function checkUnusedExports(tree: Tree): readonly Finding[] {
  const uses = usesOf(tree, importersIn(tree))
  const tested = usesOf(tree, codeUnder(tree, 'src', 'test').filter(isTestOnly))
  return productionCode(tree)
    .filter((path) => !isOffered(tree, path))
    .flatMap((path) => {
      const source = textOf(tree, path)
      const ownUses = [...(tested.get(path) ?? [])].filter((name) => isUsedInside(path, source, name))
      return unusedIn(path, source, new Set([...(uses.get(path) ?? []), ...ownUses]))
    })
}

/** Whether a file mentions one of its own names beside declaring it. */
function isUsedInside(path: string, source: string, name: string): boolean {
  let mentions = 0
  walk(parseSource(path, source).program, (node) => {
    if (identifierName(node) === name) mentions += 1
    return undefined
  })
  return mentions > 1
}

/** Files of src that nothing reaches. */
export function checkDeadFiles(tree: Tree): readonly Finding[] {
  const uses = usesOf(tree, importersIn(tree))
  return productionCode(tree)
    .filter((path) => !isOffered(tree, path) && !uses.has(path) && path !== 'src/cli/main.ts')
    .map((path) => ({
      rule: 'dead-file',
      path,
      line: 1,
      message: 'Nothing outside the tests imports this file. Use it or delete it.',
    }))
}

function unusedIn(path: string, source: string, used: ReadonlySet<string>): readonly Finding[] {
  if (used.has('*')) return []
  const exported = exportsOf(path, source)
  const needed = new Set(used)
  let before = -1
  while (needed.size !== before) {
    before = needed.size
    for (const item of exported.filter(({ name }) => needed.has(name))) {
      const spoken = namesInSignature(item.node)
      for (const { name, isType } of exported) if (isType && spoken.has(name)) needed.add(name)
    }
  }
  return exported
    .filter(({ name }) => !needed.has(name))
    .map(({ name, line }) => ({
      rule: 'unused-export',
      path,
      line,
      message: `Nothing outside the tests imports ${name}. Drop the export, or the whole of it.`,
    }))
}

/** Every name in a declaration that its users can see: all but the bodies of functions and private members. */
function namesInSignature(declaration: AstNode): ReadonlySet<string> {
  const names = new Set<string>()
  walk(declaration, (node) => {
    if (node.type === 'BlockStatement' || /^ClassPrivate/.test(node.type)) return 'skip'
    const name = identifierName(node)
    if (name !== undefined) names.add(name)
    return undefined
  })
  return names
}

type Uses = ReadonlyMap<string, ReadonlySet<string>>

function importersIn(tree: Tree): readonly string[] {
  return codeUnder(tree, 'src', 'bench', 'examples', 'scripts', 'bin').filter((path) => !isTestOnly(path))
}

/** For each file of the tree, which of its exports these importers take; `*` is all of them. */
function usesOf(tree: Tree, importers: readonly string[]): Uses {
  const uses = new Map<string, Set<string>>()
  for (const path of importers) {
    for (const imported of importsOf(path, textOf(tree, path))) addUse(tree, path, imported, uses)
  }
  return uses
}

function addUse(tree: Tree, from: string, imported: Import, uses: Map<string, Set<string>>): void {
  const destination = resolveSpecifier(from, imported.specifier)
  if (destination.kind !== 'path' || destination.path === from) return
  const names = imported.names === 'all' ? ['*'] : imported.names
  for (const path of matches(tree, destination.path, imported.whole)) {
    const known = uses.get(path) ?? new Set()
    uses.set(path, new Set([...known, ...names]))
  }
}

// A specifier known only in its beginning (a worker whose extension is found at run time) uses all it may mean.
function matches(tree: Tree, path: string, whole: boolean): readonly string[] {
  if (!whole) return [...tree.keys()].filter((candidate) => candidate.startsWith(path))
  return [path, path.replace(/\.js$/, '.ts')]
}

/** Whether the file is a door of the package, or part of the test kit, whose users are elsewhere. */
function isOffered(tree: Tree, path: string): boolean {
  return path.startsWith('src/testing/') || doorsOf(tree).includes(path)
}

function doorsOf(tree: Tree): readonly string[] {
  const manifest = JSON.parse(textOf(tree, 'package.json')) as { exports?: Record<string, unknown> }
  return Object.values(manifest.exports ?? {})
    .flatMap((target) => (typeof target === 'object' && target !== null ? Object.values(target) : [target]))
    .map((target) => String(target).replace(/^\.\//, ''))
}

/** Exported things of src without a doc comment. A type derived by `typeof` is documented where its value is. */
export function checkDocComments(tree: Tree): readonly Finding[] {
  return productionCode(tree).flatMap((path) => {
    const body = childrenAt(parseSource(path, textOf(tree, path)).program, 'body')
    return body.flatMap((statement, index) => undocumented(path, statement, body[index - 1]))
  })
}

function undocumented(path: string, statement: AstNode, previous: AstNode | undefined): readonly Finding[] {
  const declaration = childAt(statement, 'declaration')
  if (declaration === undefined || isDocumented(statement) || isDerived(declaration)) return []
  const name = declaredNames(declaration)[0] ?? 'The default export'
  const overloaded = childAt(previous, 'declaration')
  if (overloaded?.type === 'TSDeclareFunction' && declaredNames(overloaded)[0] === name) return []
  const message = `${name} has no doc comment. Say in a sentence what it is or promises, and why.`
  return [{ rule: 'doc-comment', path, line: statement.loc.start.line, message }]
}

function isDocumented(statement: AstNode): boolean {
  return childrenAt(statement, 'leadingComments').some(
    (comment) => comment.type === 'CommentBlock' && /^\*[\s*]*[^\s*]/.test(textAt(comment, 'value') ?? ''),
  )
}

function isDerived(declaration: AstNode): boolean {
  let derived = false
  walk(declaration, (node) => {
    if (node.type === 'TSTypeQuery') derived = true
    return undefined
  })
  return derived && declaration.type === 'TSTypeAliasDeclaration'
}
